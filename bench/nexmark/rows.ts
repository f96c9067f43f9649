/** Rows as other engines write them down too: JSON arrays, sorted by their text in byte order, one a line, and the hash over the lines. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Event } from '../../runtime/stream/schema.ts';
import type { Query } from './queries.ts';

/** Lines of one piece of text: many, and far from the longest text that can be. */
const chunkLines = 10_000;

export interface RowLines {
  /** Rows of the end: a corrected one counts once. */
  readonly count: number;
  readonly sha256: string;
}

/** Takes the rows of a query in the order in which they came. */
export class RowBook {
  private readonly query: Query;
  private readonly lines: string[] = [];
  private readonly latest = new Map<string, string | null>();

  constructor(query: Query) {
    this.query = query;
  }

  add(event: Event): void {
    const { columns, key } = this.query;
    const line = JSON.stringify(columns.map((name) => cell(event[name])));
    if (key) this.latest.set(JSON.stringify(key.map((name) => event[name])), event.withdrawn === true ? null : line);
    else this.lines.push(line);
  }

  /** `file`: where the lines are written, if anywhere. */
  async close(file?: string): Promise<RowLines> {
    const lines = this.query.key ? [...this.latest.values()].filter((line) => line !== null) : this.lines;
    // All of it is ASCII, whose order is that of its bytes.
    lines.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    const hash = createHash('sha256');
    const out = file === undefined ? undefined : createWriteStream(file);
    for (let from = 0; from < lines.length; from += chunkLines) {
      const text = `${lines.slice(from, from + chunkLines).join('\n')}\n`;
      hash.update(text);
      if (out && !out.write(text)) await new Promise<void>((resolve) => out.once('drain', () => resolve()));
    }
    if (out) {
      out.end();
      await finished(out);
    }
    return { count: lines.length, sha256: hash.digest('hex') };
  }
}

/** Fractions have three digits at most. */
function cell(value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Math.round(value * 1_000) / 1_000 : (value ?? null);
}
