/**
 * Takes the rows of one content: into events and dead letters, and in chunks into the log.
 *
 * A chunk is a fixed number of rows. For each origin in it there is one append, whose mark says which chunk of which content
 * it was. So a content that is taken again after a crash skips what each origin already has: nothing is lost, nothing twice,
 * however long the outage, as long as the file is cut in the same places.
 */
import { type DeadLetter, limits, type SourceContext, type SourceEvent } from '../../runtime/stream/index.ts';
import { fileDropErrors } from './errors.ts';
import { fileDropLimits } from './limits.ts';
import { parseRow, type RowSchema } from './row-schema.ts';
import { type ReadOptions, type ReadRow, readRows } from './rows.ts';

export interface TakeOptions extends ReadOptions {
  readonly rowSchema: RowSchema;
  /** Field that is the event time; without it the time of the file. */
  readonly timeField?: string | undefined;
  /** Field that is the origin; without it the name of the file. */
  readonly originField?: string | undefined;
  readonly rowsMax: number;
}

export interface Content {
  readonly name: string;
  readonly bytes: Buffer;
  readonly sha: string;
  /** Event time of rows without one of their own. */
  readonly modifiedMs: number;
}

export type RowTaken =
  | { readonly origin: string; readonly event: SourceEvent }
  | { readonly origin: null; readonly dead: DeadLetter };

/** `beds-h1-20260302.csv` is the origin `beds-h1`: parts of digits alone count the files of one sender. */
export function originOfName(name: string): string {
  const stem = name.replace(/\.[^.]*$/, '');
  const parts = stem.split(/[-_. ]+|(?<=\d)T(?=\d)/).filter((part) => part !== '' && !/^\d+Z?$/.test(part));
  return parts.length > 0 ? parts.join('-') : stem;
}

/** Reads a row. `timeMax`: the latest time that is believed. */
export function takeRow(row: ReadRow, content: Content, options: TakeOptions, timeMax: number): RowTaken {
  const dead = (code: string, reason: string, column?: string): RowTaken => ({
    origin: null,
    dead: {
      code,
      reason,
      raw: Buffer.from(row.raw).subarray(0, limits.deadLetterBytesMax),
      place: {
        file: content.name,
        line: row.line,
        ...(column === undefined ? {} : { column }),
        ...(row.header === undefined || row.header.length > fileDropLimits.headerKeptMax ? {} : { header: row.header }),
      },
    },
  });
  const { cell, typed, problem } = row;
  if (problem || !cell) return dead(problem?.code ?? 'MACH2210', problem?.reason ?? 'it has no cells');
  const refuse = (reason: string, column: string) =>
    dead('MACH2210', fileDropErrors.make('MACH2210', { reason }).message, column);
  const { rowBytesMax } = fileDropLimits;
  if (row.raw.length > rowBytesMax)
    return refuse(`it has ${row.raw.length} characters, more than rowBytesMax (${rowBytesMax})`, '');
  const result = parseRow(options.rowSchema, cell, { typed });
  if ('problems' in result) {
    const reason = result.problems.map(({ column, reason: why }) => `${column} ${why}`).join('; ');
    return refuse(reason, result.problems[0]?.column ?? '');
  }
  const { event } = result;
  if (options.originField !== undefined && event[options.originField] === '')
    return refuse(`${options.originField} is empty, and says who reported`, options.originField);
  const time = options.timeField === undefined ? content.modifiedMs : (event[options.timeField] as number);
  if (options.timeField !== undefined && time > timeMax) {
    return refuse(`${options.timeField} ${new Date(time).toISOString()} lies too far in the future`, options.timeField);
  }
  const origin = options.originField === undefined ? originOfName(content.name) : String(event[options.originField]);
  return { origin, event: { event, time, raw: row.raw.slice(0, limits.deadLetterBytesMax) } };
}

/** Reads everything once and throws what makes the content unreadable as a whole, before any row is stored. */
export async function checkContent(content: Content, options: TakeOptions): Promise<void> {
  let rows = 0;
  for await (const _row of readRows(content.bytes, options)) {
    if (++rows > options.rowsMax) throw fileDropErrors.make('MACH2204', { rows_max: options.rowsMax });
  }
}

/** How far the newest contents of an origin have come: `sha:chunk sha:chunk`. */
class Progress {
  readonly #context: SourceContext;
  readonly #known = new Map<string, Map<string, number>>();

  constructor(context: SourceContext) {
    this.#context = context;
  }

  #of(origin: string): Map<string, number> {
    const marked = new Map<string, number>();
    for (const part of (this.#context.mark(origin) ?? '').split(' ')) {
      const [sha, chunk] = part.split(':');
      if (sha && chunk) marked.set(sha, Number(chunk));
    }
    const known = this.#known.get(origin) ?? marked;
    for (const [sha, chunk] of known) if (chunk > (marked.get(sha) ?? -1)) marked.set(sha, chunk);
    return marked;
  }

  has(origin: string, sha: string, chunk: number): boolean {
    return (this.#of(origin).get(sha) ?? -1) >= chunk;
  }

  /** The mark to write with a chunk. */
  next(origin: string, sha: string, chunk: number): string {
    const progress = this.#of(origin);
    progress.delete(sha);
    progress.set(sha, chunk);
    const newest = [...progress].slice(-fileDropLimits.filesPerMark);
    return newest.map(([name, number]) => `${name}:${number}`).join(' ');
  }

  stored(origin: string, mark: string): void {
    this.#known.delete(origin);
    this.#known.set(
      origin,
      new Map(mark.split(' ').map((part) => [part.split(':')[0] ?? '', Number(part.split(':')[1])])),
    );
    // The mark of the log has it a moment later: only the newest need be remembered here.
    if (this.#known.size > 10_000) this.#known.delete(this.#known.keys().next().value as string);
  }
}

export interface Counts {
  rows: number;
  dead: number;
}

export interface Taker {
  /** Stores the rows of a content, those that are not stored yet. Rejects when the log does; it may then be called again. */
  take(content: Content, options: TakeOptions): Promise<Counts>;
}

export function makeTaker(context: SourceContext, aheadMs: number): Taker {
  const progress = new Progress(context);

  async function store(rows: readonly RowTaken[], chunk: number, content: Content): Promise<void> {
    const groups = new Map<string, SourceEvent[]>();
    const deadLetters: DeadLetter[] = [];
    for (const row of rows) {
      if (row.origin === null) {
        deadLetters.push(row.dead);
        continue;
      }
      const group = groups.get(row.origin);
      if (group) group.push(row.event);
      else groups.set(row.origin, [row.event]);
    }
    if (groups.size === 0) groups.set(originOfName(content.name), []);
    const sha = content.sha.slice(0, 16);
    let first = true;
    const appends: Promise<void>[] = [];
    for (const [origin, events] of groups) {
      // Dead letters go with the first origin, which is the same every time.
      const letters = first ? deadLetters : [];
      first = false;
      if (progress.has(origin, sha, chunk)) continue;
      const mark = progress.next(origin, sha, chunk);
      const append = context.append({ origin, events, deadLetters: letters, mark, id: `${sha}:${chunk}` });
      appends.push(append.then(() => progress.stored(origin, mark)));
    }
    const failed = (await Promise.allSettled(appends)).find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  return {
    async take(content, options) {
      const timeMax = context.clock.now() + aheadMs;
      const dated = { ...content, modifiedMs: Math.min(content.modifiedMs, context.clock.now()) };
      const counts: Counts = { rows: 0, dead: 0 };
      let rows: RowTaken[] = [];
      let chunk = 0;
      for await (const read of readRows(content.bytes, options)) {
        const row = takeRow(read, dated, options, timeMax);
        if (row.origin === null) counts.dead++;
        else counts.rows++;
        rows.push(row);
        if (rows.length < fileDropLimits.rowsPerChunk) continue;
        context.signal.throwIfAborted();
        await store(rows, chunk++, dated);
        rows = [];
      }
      if (rows.length > 0) await store(rows, chunk, dated);
      return counts;
    },
  };
}
