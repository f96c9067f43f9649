/** `npm run docs`: writes what is made from the definitions: docs/operators.md, connectors.md, errors.md, the schema for editors. */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderPages } from './docs/pages.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

for (const { file, text } of renderPages()) {
  writeFileSync(join(root, file), text);
  console.log(`wrote ${file}`);
}
