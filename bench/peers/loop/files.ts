/** Bids as files of CSV by day and minute: `DAY/HH.mm.csv`. */
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PeerQuery } from '../stream.ts';
import { foundOrMade } from './found-or-made.ts';
import { dayOf, minuteOf, Progress, second } from './time.ts';

const minuteMs = 60 * second;
/** Text that is kept before it is written. */
const textMax = 64 * 1_024;
const ending = '.csv';
const lineFeed = '\n'.charCodeAt(0);

/** The file of one minute. */
class MinuteFile {
  private text = '';
  private readonly descriptor: number;

  constructor(folder: string, minute: number) {
    const place = join(folder, dayOf(minute));
    mkdirSync(place, { recursive: true });
    // A minute that comes again after its file was closed goes on in it.
    this.descriptor = openSync(join(place, `${minuteOf(minute).replace(':', '.')}${ending}`), 'a');
  }

  add(line: string): void {
    this.text += line;
    if (this.text.length >= textMax) this.flush();
  }

  close(): void {
    this.flush();
    closeSync(this.descriptor);
  }

  private flush(): void {
    writeFileSync(this.descriptor, this.text);
    this.text = '';
  }
}

const bidsInFiles: PeerQuery = {
  fields: ['kind', 'auction', 'bidder', 'price', 'date_time', 'extra'],
  open(emit) {
    const folder = mkdtempSync(join(tmpdir(), 'mach-loop-files-'));
    const files = new Map<number, MinuteFile>();
    const progress = new Progress((completeTo) => {
      for (const [minute, file] of files) {
        if (minute + minuteMs > completeTo) continue;
        file.close();
        files.delete(minute);
      }
    });
    return {
      event({ kind, auction, bidder, price, date_time, extra }) {
        if (kind !== 'bid') return;
        const minute = date_time - (date_time % minuteMs);
        const file = foundOrMade(files, minute, () => new MinuteFile(folder, minute));
        const time = new Date(date_time).toISOString();
        file.add(`${auction},${bidder},${price},${time},${cellOf(extra)}\r\n`);
        progress.see(date_time);
      },
      end: () => progress.end(),
      collect() {
        for (const day of readdirSync(folder)) {
          for (const name of readdirSync(join(folder, day)))
            emit([day, name.slice(0, -ending.length).replace('.', ':'), linesIn(join(folder, day, name))]);
        }
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
};

/** As RFC 4180 has it. */
function cellOf(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function linesIn(file: string): number {
  let lines = 0;
  for (const byte of readFileSync(file)) if (byte === lineFeed) lines++;
  return lines;
}

export const fileQueries: Readonly<Record<string, PeerQuery>> = { q10: bidsInFiles };
