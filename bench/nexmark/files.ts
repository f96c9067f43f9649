/** Rows counted from the files that a query has written: `DAY/HH.mm/*.csv`, without headers. */
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Event } from '../../runtime/stream/schema.ts';

const lineFeed = 0x0a;

export async function countFiles(folder: string): Promise<Event[]> {
  const rows: Event[] = [];
  for (const day of await readdir(folder)) {
    for (const minute of await readdir(join(folder, day))) {
      const place = join(folder, day, minute);
      let bids = 0;
      for (const name of await readdir(place)) bids += await countLines(join(place, name));
      // A colon has no place in the name of a folder.
      rows.push({ day, minute: minute.replace('.', ':'), bids });
    }
  }
  return rows;
}

async function countLines(file: string): Promise<number> {
  let lines = 0;
  for await (const piece of createReadStream(file) as AsyncIterable<Buffer>) {
    for (let at = piece.indexOf(lineFeed); at >= 0; at = piece.indexOf(lineFeed, at + 1)) lines++;
  }
  return lines;
}
