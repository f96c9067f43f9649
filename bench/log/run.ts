/** `npm run bench -- log`: appends alone, then through the log from one end to the other. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { oneOf, whole } from '../arguments.ts';
import { machine } from '../machine.ts';
import { appendRounds, measureAppends, reportAppends } from './append.ts';
import { measureThrough, type ThroughRate } from './through.ts';

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'string' },
      seconds: { type: 'string', default: '1' },
      runs: { type: 'string', default: '5' },
      only: { type: 'string' },
    },
  });
  const roundMs = whole('seconds', values.seconds, { least: 1, most: 600 }) * 1_000;
  const runs = whole('runs', values.runs, { least: 1, most: 1_000 });
  const only = values.only === undefined ? undefined : oneOf('only', values.only, ['append', 'through']);
  const appends = only === 'through' ? [] : await measureAppends(roundMs);
  if (appends.length > 0) reportAppends(appends, roundMs);
  const through = only === 'append' ? [] : await measureThrough(runs, roundMs);
  if (through.length > 0) reportThrough(through, runs, roundMs);
  if (values.json === undefined) return;
  const result = { benchmark: 'log', machine: machine(), rounds: appendRounds, roundMs, rates: appends, through };
  await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);
}

function reportThrough(rates: readonly ThroughRate[], runs: number, roundMs: number): void {
  console.log(`\nappended and read back at once, median of ${runs} rounds of ${roundMs} ms in turns\n`);
  console.log('way                                    events/s   of raw client   (least to most)');
  for (const { name, eventsPerSecond, ofCeiling } of rates) {
    const rate = (value: number) => Math.round(value).toLocaleString('en');
    const { least, median, most } = eventsPerSecond;
    const share = `${(100 * ofCeiling).toFixed(1)} %`.padStart(15);
    console.log(`${name.padEnd(36)}${rate(median).padStart(11)} ${share}   (${rate(least)} to ${rate(most)})`);
  }
}
