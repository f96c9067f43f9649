/** For tests: messages that nobody on this project wrote, from the folder of test data. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { DecodeOptions } from './decode.ts';
import { codesOf } from './index.ts';

export const decodeOptions: DecodeOptions = {
  zone: 'Asia/Ho_Chi_Minh',
  charset: 'UTF-8',
  codes: codesOf({ observations: {} }),
  receivedAt: null,
};

function folder(): string {
  const root = process.env.MACH_TEST_DATA ?? join(import.meta.dirname, '../../../shared/data');
  const path = join(root, 'hl7v2');
  if (!existsSync(path)) {
    throw new Error(`test data missing: ${path} does not exist; set MACH_TEST_DATA to the folder that holds hl7v2/`);
  }
  return path;
}

export interface CorpusMessage {
  readonly name: string;
  readonly bytes: Buffer;
}

export function corpusMessages(): CorpusMessage[] {
  const messages = join(folder(), 'messages');
  const files = readdirSync(messages).map((name) => ({ name, bytes: readFileSync(join(messages, name)) }));
  const lines = readFileSync(join(folder(), 'more-messages.jsonl'), 'utf8').split('\n').filter(Boolean);
  const more = lines.map((line, index) => ({
    name: `more-messages.jsonl:${index + 1}`,
    bytes: Buffer.from((JSON.parse(line) as { message: string }).message),
  }));
  return [...files, ...more];
}

// biome-ignore lint/suspicious/noExplicitAny: FHIR resources of every kind.
export type Resource = Record<string, any>;

export interface ExpectedBundle extends CorpusMessage {
  readonly bundle: Resource;
  resources(type: string): Resource[];
}

/** Messages with the FHIR bundle that an independent converter makes of them. */
export function expectedBundles(): ExpectedBundle[] {
  const expected = join(folder(), 'expected-fhir');
  return readdirSync(expected)
    .filter((file) => file.endsWith('.json.gz'))
    .map((file) => {
      const name = `${file.slice(0, -'.json.gz'.length)}.hl7`;
      const bundle = JSON.parse(gunzipSync(readFileSync(join(expected, file))).toString('utf8')) as Resource;
      const entries: Resource[] = (bundle.entry ?? []).map((entry: Resource) => entry.resource);
      return {
        name,
        bytes: readFileSync(join(folder(), 'messages', name)),
        bundle,
        resources: (type: string) => entries.filter((resource) => resource.resourceType === type),
      };
    });
}
