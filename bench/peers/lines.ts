/** The events of a request as a file of JSON lines, for peers that have no generator of their own. */
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { openGenerator } from '../../connectors/nexmark/generator.ts';
import { lineOf } from '../../connectors/nexmark/line.ts';
import type { PeerRequest } from './request.ts';

const chunkEvents = 5_000;

export async function writeLines(file: string, { events, seed, rate, disorder }: PeerRequest): Promise<void> {
  const generator = openGenerator({ seed, rate, disorder });
  const out = createWriteStream(file);
  for (let from = 0; from < events; from += chunkEvents) {
    let text = '';
    for (let position = from; position < Math.min(from + chunkEvents, events); position++)
      text += `${lineOf(generator.eventAt(position))}\n`;
    if (!out.write(text)) await new Promise<void>((resolve) => out.once('drain', () => resolve()));
  }
  out.end();
  await finished(out);
}
