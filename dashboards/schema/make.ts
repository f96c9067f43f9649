/** Makes `classic.schema.json` from `classic.ts` and Grafana's types, and knows when it is not of this day. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const pathOf = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const schemaFile = pathOf('./classic.schema.json');
const typesFile = pathOf('./classic.ts');

type JsonSchema = Readonly<Record<string, unknown>>;

/** Changes with whatever the schema is made from: our types, those of a query, and the version of Grafana's. */
function fingerprint(): string {
  const { devDependencies } = JSON.parse(readFileSync(pathOf('../../package.json'), 'utf8')) as {
    devDependencies: Readonly<Record<string, string>>;
  };
  const hash = createHash('sha256');
  for (const file of [typesFile, pathOf('../kit/query.ts')]) hash.update(readFileSync(file));
  return hash.update(`${devDependencies['@grafana/grafana-foundation-sdk']}`).digest('hex');
}

const commentOf = (made: string) =>
  `Made by npm run boards from classic.ts and @grafana/grafana-foundation-sdk (${made})`;

export function readSchema(): JsonSchema {
  return JSON.parse(readFileSync(schemaFile, 'utf8')) as JsonSchema;
}

export function schemaIsUpToDate(): boolean {
  return existsSync(schemaFile) && readSchema().$comment === commentOf(fingerprint());
}

/** Takes half a minute, and is needed when the types have changed. */
export async function makeSchema(): Promise<void> {
  const { createGenerator } = await import('ts-json-schema-generator');
  const type = 'ClassicDashboard';
  const generator = createGenerator({
    path: typesFile,
    tsconfig: pathOf('../../tsconfig.json'),
    type,
    skipTypeCheck: true,
  });
  const schema = { $comment: commentOf(fingerprint()), ...generator.createSchema(type) };
  writeFileSync(schemaFile, `${JSON.stringify(schema, null, 1)}\n`);
}
