/** Rows as other engines write them down too: JSON arrays, sorted by their text in byte order, one a line, and the hash over the lines. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Event } from '../../runtime/stream/schema.ts';
import type { Query } from './queries.ts';

/** Lines of one piece of text: many, and far from the longest text that can be. */
const chunkLines = 10_000;

/** Takes the rows of a query in the order in which they came. */
export class RowBook {
  private readonly query: Query;
  private readonly all: string[] = [];
  private readonly latest = new Map<string, string | null>();
  private readonly totals = new Map<string, Event>();

  constructor(query: Query) {
    this.query = query;
  }

  add(event: Event): void {
    const { key, total } = this.query;
    if (total !== undefined) this.addToTotal(event, total);
    else if (!key) this.all.push(this.lineOf(event));
    else {
      const identity = JSON.stringify(key.map((name) => event[name]));
      this.latest.set(identity, event.withdrawn === true ? null : this.lineOf(event));
    }
  }

  /** As they stand in the end, sorted. */
  lines(): readonly string[] {
    const latest = [...this.latest.values()].filter((line) => line !== null);
    const totals = [...this.totals.values()].map((event) => this.lineOf(event));
    const lines = [...this.all, ...latest, ...totals];
    // All of it is ASCII, whose order is that of its bytes.
    return lines.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  }

  private lineOf(event: Event): string {
    return JSON.stringify(this.query.columns.map((name) => cell(event[name])));
  }

  private addToTotal(event: Event, total: string): void {
    const { [total]: amount, ...rest } = Object.fromEntries(this.query.columns.map((name) => [name, event[name]]));
    const identity = JSON.stringify(rest);
    const sum = Number(this.totals.get(identity)?.[total] ?? 0) + Number(amount);
    this.totals.set(identity, { ...rest, [total]: sum });
  }
}

/** Fractions have three digits at most. */
function cell(value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Math.round(value * 1_000) / 1_000 : (value ?? null);
}

function* chunksOf(lines: readonly string[]): IterableIterator<string> {
  for (let from = 0; from < lines.length; from += chunkLines)
    yield `${lines.slice(from, from + chunkLines).join('\n')}\n`;
}

export function hashOf(lines: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of chunksOf(lines)) hash.update(text);
  return hash.digest('hex');
}

export async function writeLines(lines: readonly string[], file: string): Promise<void> {
  const out = createWriteStream(file);
  for (const text of chunksOf(lines)) {
    if (!out.write(text)) await new Promise<void>((resolve) => out.once('drain', () => resolve()));
  }
  out.end();
  await finished(out);
}

/** The first rows that only one of the two has; none when they are the same. */
export function differences(actual: readonly string[], expected: readonly string[], most = 5): string[] {
  const found: string[] = [];
  let a = 0;
  let e = 0;
  while ((a < actual.length || e < expected.length) && found.length < most) {
    const [ours, theirs] = [actual[a], expected[e]];
    if (ours === theirs) {
      a++;
      e++;
    } else if (theirs === undefined || (ours !== undefined && ours < theirs)) {
      found.push(`too much: ${ours}`);
      a++;
    } else {
      found.push(`missing: ${theirs}`);
      e++;
    }
  }
  return found;
}
