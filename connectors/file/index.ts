/** Sink `file`: rows to files by the values of their fields, each batch a file of its own that is there whole or not at all. */
import { createHash, randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { z } from 'zod';
import {
  defineSink,
  type EventRows,
  fieldNames,
  fieldTemplate,
  input,
  type RunningSink,
  refuseDirectIn,
  type SinkRow,
  type SinkRows,
  type SinkRun,
} from '../../runtime/stream/index.ts';
import { ByteBuffer } from './byte-buffer.ts';
import { fileErrors } from './errors.ts';
import { type LineOptions, type LineWriter, lineWriter } from './format.ts';
import { fileLimits } from './limits.ts';
import { type PathOfRow, pathsOf } from './path.ts';
import { fileWriter } from './write.ts';

const options = z.strictObject({
  from: input(),
  folder: z.string().min(1).describe('where to; a path from the folder of the topology'),
  path: z
    .string()
    .regex(/^[^/\\]+(?:\/[^/\\]+)*$/, 'it is one or several names with / between')
    .default('.')
    .describe('folders below it, with fields of the row in them ({day}/{minute}), but for those tagged direct'),
  format: z.enum(['csv', 'ndjson']).default('csv').describe('csv: RFC 4180; ndjson: one JSON object on each line'),
  header: z.boolean().optional().describe('csv: the first line of each file names the fields; true when absent'),
  fields: z.array(z.string().min(1)).min(1).max(500).optional().describe('only these fields, in this order'),
});

interface FileSettings {
  readonly folder: string;
  pathsOf(events: EventRows): PathOfRow;
  readonly format: LineOptions['format'];
  readonly lines: LineWriter;
}

/** Rows of one run, by their places in it. */
interface Rows {
  readonly events: EventRows;
  readonly places: number[];
}

/** What one batch has for one folder. */
interface Part {
  readonly path: string;
  readonly name: string;
  readonly rows: Rows[];
}

/** Characters of the hash of a token in names: two logs never have the same. */
const hashCharacters = 12;
const sequenceDigits = 16;

/** The names follow from the batch, so that its second coming writes the same files. */
function partsOf(rows: SinkRows, token: string, { pathsOf, format }: FileSettings) {
  const hash = createHash('sha256').update(token).digest('hex').slice(0, hashCharacters);
  const parts = new Map<string, Part>();
  const refused: { row: SinkRow; code: string; reason: string }[] = [];
  for (const { events, rowAt } of rows.runs ?? oneByOne(rows)) {
    const pathOf = pathsOf(events);
    let own: Rows | undefined;
    let ownPath: string | undefined;
    for (let place = 0; place < events.length; place++) {
      const path = pathOf(place);
      // Rows that follow one another mostly go to one folder.
      if (path !== ownPath || !own) {
        const { pathLengthMax: max, nameBytesMax } = fileLimits;
        if (path.length > max || path.split('/').some((name) => name.length > nameBytesMax)) {
          const { code, message } = fileErrors.make('MACH2702', { length: path.length, max });
          refused.push({ row: rowAt(place), code, reason: message });
          continue;
        }
        const part = parts.get(path) ?? { path, name: nameOf(rowAt(place), `${hash}.${format}`), rows: [] };
        parts.set(path, part);
        own = { events, places: [] };
        ownPath = path;
        part.rows.push(own);
      }
      own.places.push(place);
    }
  }
  return { parts: [...parts.values()], refused };
}

function* oneByOne(rows: SinkRows): IterableIterator<SinkRun> {
  for (const row of rows) yield { events: [row.event], rowAt: () => row };
}

function nameOf({ sequence, index, partition }: SinkRow, end: string): string {
  return `${String(sequence).padStart(sequenceDigits, '0')}-${index}-${partition}-${end}`;
}

/** `writer`: another one for each that is opened. */
export function openFiles(settings: FileSettings, writer: string = randomUUID()): RunningSink {
  /** Those that no file is written from. */
  const buffers: ByteBuffer[] = [];
  const files = fileWriter(settings.folder, writer);
  const write = async ({ path, name, rows }: Part) => {
    const lines = buffers.pop() ?? new ByteBuffer();
    lines.length = 0;
    settings.lines.begin(lines);
    for (const { events, places } of rows) settings.lines.add(events, places, lines);
    await files.write(resolve(settings.folder, path), name, lines.written);
    if (lines.capacity <= fileLimits.bufferKeptBytesMax) buffers.push(lines);
  };
  return {
    async write(rows, token) {
      const { parts, refused } = partsOf(rows, token, settings);
      let next = 0;
      const work = async () => {
        for (let part = parts[next++]; part; part = parts[next++]) await write(part);
      };
      // All come to their end before the batch may come again: two writers of one draft would spoil it.
      const ends = await Promise.allSettled(Array.from({ length: fileLimits.filesAtOnce }, work));
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
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
    for (const name of fieldTemplate(given.path).fields) {
      if (known.includes(name)) refuseDirectIn('path', name, schema, check);
      else complain('path', name);
    }
    for (const part of given.path.split('/'))
      if (part === '..') check.problem('path', '".." leads out of the folder', 'name the other folder in `folder`');
    const { format, fields = known, header = true } = given;
    if (format !== 'csv' && given.header !== undefined)
      check.problem('header', 'only csv has a header', 'leave it out: each line of ndjson names its fields');
    const settings: FileSettings = {
      folder: check.resolveFile(given.folder),
      pathsOf: pathsOf(given.path),
      format,
      lines: lineWriter({ format, fields, schema, header }),
    };
    return { open: async () => openFiles(settings) };
  },
});

export { fileErrors };
