/**
 * Takes the rows of one content: into events and dead letters, and in chunks into the log.
 *
 * A chunk is a fixed number of rows. For each origin in it there is one append, whose mark says which chunk of which content
 * it was. So a content that is taken again after a crash skips what each origin already has: nothing is lost, nothing twice,
 * however long the outage, as long as the file is cut in the same places.
 *
 * Before the chunks comes the first row of each origin, where there are several: time goes on with the slowest origin that has been heard, so each
 * has to be heard before another's rows take it further. Otherwise all of the second hospital of a file would be late.
 */
import {
  type DeadLetter,
  keepNewest,
  limits,
  type SourceContext,
  type SourceEvent,
} from '../../runtime/stream/index.ts';
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
  return { origin, event: { event, time, raw: row.raw.slice(0, limits.deadLetterBytesMax), line: row.line } };
}

/** The first row of each origin: the number of the row in the content, from 0, and the origin. Empty where there is one origin alone, or more than `originsHeardFirstMax`. */
export type FirstRows = ReadonlyMap<number, string>;

/** Reads everything once, before any row is stored. Throws what makes the content unreadable as a whole. */
export async function checkContent(content: Content, options: TakeOptions): Promise<FirstRows> {
  const firsts = new Map<string, number>();
  let rows = 0;
  for await (const read of readRows(content.bytes, options)) {
    if (rows >= options.rowsMax) throw fileDropErrors.make('MACH2204', { rows_max: options.rowsMax });
    if (options.originField !== undefined) {
      // Whatever its time: which rows are first must not depend on when that is asked.
      const { origin } = takeRow(read, content, options, Number.POSITIVE_INFINITY);
      if (origin !== null && !firsts.has(origin)) firsts.set(origin, rows);
    }
    rows++;
  }
  if (firsts.size < 2 || firsts.size > fileDropLimits.originsHeardFirstMax) return new Map();
  return new Map([...firsts].map(([origin, row]) => [row, origin]));
}

/** How far the newest contents of an origin have come: `sha:chunk sha:chunk`. */
class Progress {
  readonly #context: SourceContext;
  readonly #known = new Map<string, Map<string, number>>();
  readonly #forgetOldest = keepNewest(this.#known, fileDropLimits.progressKeptMax);

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
    for (const [sha, chunk] of known) if (chunk > (marked.get(sha) ?? Number.NEGATIVE_INFINITY)) marked.set(sha, chunk);
    return marked;
  }

  has(origin: string, sha: string, chunk: number): boolean {
    return (this.#of(origin).get(sha) ?? Number.NEGATIVE_INFINITY) >= chunk;
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
    // The mark of the log has it a moment later.
    this.#forgetOldest();
  }
}

export interface Counts {
  rows: number;
  dead: number;
}

export interface Taker {
  /** Stores the rows of a content, those that are not stored yet. Rejects when the log does; it may then be called again. */
  take(content: Content, options: TakeOptions, firsts: FirstRows): Promise<Counts>;
}

/** In the place of a chunk's number: comes before all of them. */
const firstRows = -1;

/** `isStored`: it is the first row of its origin, and came before. */
type ChunkRow = RowTaken & { readonly isStored: boolean };

interface Share {
  readonly events: SourceEvent[];
  readonly deadLetters: DeadLetter[];
}

const emptyShare = (): Share => ({ events: [], deadLetters: [] });

/** What a chunk has for each origin, in the order of their rows. Rows that are stored already count for the order alone. */
function sharesOf(rows: readonly ChunkRow[], content: Content): Map<string, Share> {
  const shares = new Map<string, Share>();
  const deadLetters: DeadLetter[] = [];
  for (const row of rows) {
    if (row.origin === null) {
      if (!row.isStored) deadLetters.push(row.dead);
      continue;
    }
    const share = shares.get(row.origin) ?? emptyShare();
    shares.set(row.origin, share);
    if (!row.isStored) share.events.push(row.event);
  }
  if (shares.size === 0) shares.set(originOfName(content.name), emptyShare());
  // Dead letters go with the first origin, which is the same every time.
  const [first] = shares.values();
  first?.deadLetters.push(...deadLetters);
  return shares;
}

export function makeTaker(context: SourceContext, aheadMs: number): Taker {
  const progress = new Progress(context);

  async function store(shares: ReadonlyMap<string, Share>, chunk: number, content: Content): Promise<void> {
    const sha = content.sha.slice(0, 16);
    const appends: Promise<void>[] = [];
    for (const [origin, { events, deadLetters }] of shares) {
      if (events.length + deadLetters.length === 0 || progress.has(origin, sha, chunk)) continue;
      const mark = progress.next(origin, sha, chunk);
      const place = { file: content.name };
      const append = context.append({ origin, events, deadLetters, place, mark, id: `${sha}:${chunk}` });
      appends.push(append.then(() => progress.stored(origin, mark)));
    }
    const failed = (await Promise.allSettled(appends)).find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** In the order of their times, so that none is late by another. */
  async function storeFirsts(
    content: Content,
    options: TakeOptions,
    firsts: FirstRows,
    timeMax: number,
  ): Promise<void> {
    const shares: (readonly [string, Share])[] = [];
    let number = 0;
    for await (const read of readRows(content.bytes, options)) {
      const origin = firsts.get(number++);
      if (origin === undefined) continue;
      const row = takeRow(read, content, options, timeMax);
      const share =
        row.origin === null ? { events: [], deadLetters: [row.dead] } : { events: [row.event], deadLetters: [] };
      shares.push([origin, share]);
      if (shares.length === firsts.size) break;
    }
    // What has no time comes last; a difference of two of them is no number.
    const timeOf = ([, { events }]: (typeof shares)[number]) => events[0]?.time ?? Number.POSITIVE_INFINITY;
    shares.sort((a, b) => timeOf(a) - timeOf(b) || 0);
    const { rowsPerChunk } = fileDropLimits;
    for (let from = 0; from < shares.length; from += rowsPerChunk) {
      context.signal.throwIfAborted();
      await store(new Map(shares.slice(from, from + rowsPerChunk)), firstRows, content);
    }
  }

  return {
    async take(content, options, firsts) {
      const timeMax = context.clock.now() + aheadMs;
      const dated = { ...content, modifiedMs: Math.min(content.modifiedMs, context.clock.now()) };
      const counts: Counts = { rows: 0, dead: 0 };
      if (firsts.size > 0) await storeFirsts(dated, options, firsts, timeMax);
      let rows: ChunkRow[] = [];
      let chunk = 0;
      for await (const read of readRows(content.bytes, options)) {
        const isStored = firsts.has(counts.rows + counts.dead);
        const row = takeRow(read, dated, options, timeMax);
        if (row.origin === null) counts.dead++;
        else counts.rows++;
        rows.push({ ...row, isStored });
        if (rows.length < fileDropLimits.rowsPerChunk) continue;
        context.signal.throwIfAborted();
        await store(sharesOf(rows, content), chunk++, dated);
        rows = [];
      }
      if (rows.length > 0) await store(sharesOf(rows, content), chunk, dated);
      return counts;
    },
  };
}
