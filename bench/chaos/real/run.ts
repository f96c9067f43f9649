/** `npm run chaos -- [--seed N] [--fault NAME]... [--for 60s] [--json FILE]`: faults on real processes, and a judge. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../../../runtime/errors.ts';
import { parseDuration } from '../../../runtime/stream/options.ts';
import { type CampaignResult, runCampaign } from './campaign.ts';
import { faults } from './faults.ts';
import { mounting, runInNamespace } from './namespace.ts';
import { printReport, type RealReport, reportOf } from './report.ts';
import { wipeAfterwards, wipedFault } from './wiped.ts';

export interface RealSettings {
  readonly seed: number;
  /** By name; all when empty. */
  readonly faults: readonly string[];
  readonly forMs: number;
  readonly print: (line: string) => void;
}

export class RealUsageError extends Error {}

const allNames = [...faults.map(({ name }) => name), wipedFault.name];
const embeddedShare = 0.25;

export function readRealArguments(args: readonly string[]): RealSettings & { readonly json: string | undefined } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      fault: { type: 'string', multiple: true },
      for: { type: 'string', default: '60s' },
      json: { type: 'string' },
    },
  });
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
  if (!Number.isSafeInteger(seed)) throw new RealUsageError(`--seed ${values.seed} is not a whole number`);
  const forMs = parseDuration(values.for);
  if (forMs === undefined || forMs < 1_000)
    throw new RealUsageError(`--for ${values.for} is not a duration of 1s or more`);
  const names = values.fault ?? [];
  const unknown = names.find((name) => !allNames.includes(name));
  if (unknown !== undefined) throw new RealUsageError(`there is no fault "${unknown}": ${allNames.join(', ')}`);
  return { seed, faults: names, forMs, json: values.json, print: (line) => void process.stderr.write(`${line}\n`) };
}

/** The separate form, the embedded form and the wiped storage at the same time, each with senders and a judge of its own. */
export async function runRealCampaigns(settings: RealSettings): Promise<RealReport> {
  const { seed, forMs, print } = settings;
  const startedAt = Date.now();
  const isWanted = (name: string) => settings.faults.length === 0 || settings.faults.includes(name);
  const wanted = faults.filter(({ name }) => isWanted(name));
  if (wanted.some(({ name }) => name.endsWith('disk-full')) && mounting() === 'in a namespace')
    return runInNamespace(settings);
  const directory = await mkdtemp(join(tmpdir(), 'mach-chaos-'));
  print(`chaos: seed ${seed}`);
  try {
    const campaigns: Promise<CampaignResult>[] = [];
    const start = (name: 'separate' | 'embedded' | 'wiped', ms: number) =>
      runCampaign(
        {
          name,
          form: name === 'embedded' ? 'embedded' : 'separate',
          // Several workers pass rows to each other; the other two campaigns have an engine alone.
          ...(name === 'separate' ? { workers: 2, partitions: 2 } : { workers: 1, partitions: 1 }),
          seed,
          forMs: ms,
          faults: wanted.filter((fault) => fault.form === name),
          directory: join(directory, name),
          print: (line) => print(`${name.padEnd(9)}${line}`),
        },
        name === 'wiped' ? wipeAfterwards : undefined,
      );
    const has = (form: string) => wanted.some((fault) => fault.form === form);
    if (has('separate')) campaigns.push(start('separate', forMs));
    if (has('embedded'))
      campaigns.push(start('embedded', settings.faults.length === 0 ? forMs * embeddedShare : forMs));
    if (isWanted(wipedFault.name)) campaigns.push(start('wiped', 1_000));
    // All to their end: a folder is not taken from under another.
    const ended = await Promise.allSettled(campaigns);
    const results = ended.map((one) => {
      if (one.status === 'rejected') throw one.reason;
      return one.value;
    });
    return reportOf({ seed, forMs, tookMs: Date.now() - startedAt, results });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Exit code: 0 nothing lost and nothing twice; 1 something was, or the run has proven nothing; 2 wrong use. */
export async function runReal(args: readonly string[]): Promise<number> {
  let settings: ReturnType<typeof readRealArguments>;
  try {
    settings = readRealArguments(args);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return 2;
  }
  // By way of an exit, so that engines end and disks are unmounted.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  try {
    const report = await runRealCampaigns(settings);
    if (settings.json) await writeFile(settings.json, `${JSON.stringify(report, null, 1)}\n`);
    printReport(report, (line) => void process.stdout.write(`${line}\n`));
    return report.passed ? 0 : 1;
  } catch (error) {
    process.stderr.write(`chaos, seed ${settings.seed}: ${error instanceof Error ? error.stack : messageOf(error)}\n`);
    return 1;
  }
}
