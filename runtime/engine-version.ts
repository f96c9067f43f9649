/** Version of the engine, as in `package.json`: what writes checkpoints says it, for people. */
import { readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

export const engineVersion = version;
