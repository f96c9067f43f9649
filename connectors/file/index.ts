/** Sink `file`: rows to files by the values of their fields, each batch a file of its own that is there whole or not at all. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { z } from 'zod';
import {
  defineSink,
  type Event,
  fieldNames,
  fieldTemplate,
  input,
  type RunningSink,
  type Schema,
  type SinkRow,
  type SinkRows,
} from '../../runtime/stream/index.ts';
import { fileErrors } from './errors.ts';
import { linesOf } from './format.ts';
import { fileLimits } from './limits.ts';
import { pathOfEvent } from './path.ts';
import { writeWhole } from './write.ts';

const options = z.strictObject({
  from: input(),
  folder: z.string().min(1).describe('where to; a path from the folder of the topology'),
  path: z
    .string()
    .regex(/^[^/\\]+(?:\/[^/\\]+)*$/, 'it is one or several names with / between')
    .default('.')
    .describe('folders below it, with fields of the row in them: {day}/{minute}'),
  format: z
    .enum(['csv', 'ndjson'])
    .default('csv')
    .describe('csv: RFC 4180 with a header; ndjson: one JSON object on each line'),
  fields: z.array(z.string().min(1)).min(1).max(500).optional().describe('only these fields, in this order'),
});

interface FileSettings {
  readonly folder: string;
  pathOf(event: Event): string;
  readonly format: 'csv' | 'ndjson';
  readonly fields: readonly string[];
  readonly schema: Schema;
}

interface Part {
  readonly path: string;
  readonly name: string;
  readonly rows: SinkRow[];
}

/** Characters of the hash of a token in names: two logs never have the same. */
const hashCharacters = 12;
const sequenceDigits = 16;

/** Of one batch, each folder's rows. The names follow from the batch, so that its second coming writes the same files. */
function partsOf(rows: SinkRows, token: string, { pathOf, format }: FileSettings) {
  const hash = createHash('sha256').update(token).digest('hex').slice(0, hashCharacters);
  const parts = new Map<string, Part>();
  const refused: { row: SinkRow; code: string; reason: string }[] = [];
  for (const row of rows) {
    const place = pathOf(row.event);
    const { pathLengthMax: max, nameBytesMax } = fileLimits;
    const known = parts.get(place);
    if (known) known.rows.push(row);
    else if (place.length > max || place.split('/').some((name) => name.length > nameBytesMax)) {
      const { code, message } = fileErrors.make('MACH2702', { length: place.length, max });
      refused.push({ row, code, reason: message });
    } else {
      const sequence = String(row.sequence).padStart(sequenceDigits, '0');
      parts.set(place, {
        path: place,
        name: `${sequence}-${row.index}-${row.partition}-${hash}.${format}`,
        rows: [row],
      });
    }
  }
  return { parts: [...parts.values()], refused };
}

export function openFiles(settings: FileSettings): RunningSink {
  return {
    async write(rows, token) {
      const { parts, refused } = partsOf(rows, token, settings);
      let next = 0;
      const work = async () => {
        for (let part = parts[next++]; part; part = parts[next++]) {
          const events: Event[] = part.rows.map(({ event }) => event);
          await writeWhole(resolve(settings.folder, part.path), part.name, linesOf(events, settings));
        }
      };
      await Promise.all(Array.from({ length: fileLimits.filesAtOnce }, work));
      return refused;
    },
    async close() {},
  };
}

export const fileSink = defineSink({
  name: 'file',
  status: 'stable',
  summary:
    'Writes rows to files, in folders by the values of their fields; a batch is a file of its own, there whole or not at all, and never twice.',
  options,
  examples: [
    { title: 'one folder', options: { from: 'overload', folder: 'out' } },
    {
      title: 'by day and hospital, for other programs',
      options: { from: 'visits', folder: 'out', path: '{day}/{hospital}', format: 'ndjson' },
    },
  ],
  bind({ options: given, inputs: bound, check }) {
    const schema = bound.from?.schema ?? { fields: {} };
    const known = fieldNames(schema);
    const complain = (path: string | (string | number)[], name: string) =>
      check.problem(path, `"${name}" is not a field; there are ${known.join(', ')}`);
    for (const [index, name] of (given.fields ?? []).entries())
      if (!known.includes(name)) complain(['fields', index], name);
    for (const name of fieldTemplate(given.path).fields) if (!known.includes(name)) complain('path', name);
    for (const part of given.path.split('/'))
      if (part === '..') check.problem('path', '".." leads out of the folder', 'name the other folder in `folder`');
    const settings: FileSettings = {
      folder: check.resolveFile(given.folder),
      pathOf: pathOfEvent(given.path),
      format: given.format,
      fields: given.fields ?? known,
      schema,
    };
    return { open: async () => openFiles(settings) };
  },
});

export { fileErrors };
