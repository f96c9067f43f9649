/** Senders that resend until they are answered, processes that die and come back, and what must then be true. */
import { expect } from 'vitest';
import type { FaultPlan } from '../bus/memory/faults.ts';
import { MachError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Random } from '../random.ts';
import { type Accounting, isBalanced } from '../stream/ledger.ts';
import { type CollectedSink, type Lab, type LabProcess, type LabStartOptions, openLab } from '../testing/engine-lab.ts';

/** Whatever is lost, doubled or out of order shows in `numbered`; what the crash of a window costs shows in `totals`. */
const chaosTopology = `
version: 1
name: chaos
sources:
  beds: { pulses: {}, idle: 30d }
  calls: { pulses: {}, idle: 30d }
operators:
  kept: { keep: { from: calls, min: 0 } }
  able: { refuses: { from: beds } }
  both: { merged: { left: able, right: kept } }
  order: { numbered: { from: both } }
  windows: { totals: { from: beds, every: 10s } }
  counted: { numbered: { from: windows } }
sinks:
  rows: { collect: { from: order } }
  sums: { collect: { from: windows, key: [hospital, begin] } }
  numbers: { collect: { from: counted } }
`;

export const crashPointNames = [
  'source.before-append',
  'source.after-append',
  'stage.before-handle',
  'stage.after-handle',
  'output.before-append',
  'output.after-append',
  'exchange.before-append',
  'exchange.after-append',
  'checkpoint.before-put',
  'checkpoint.after-put',
  'sink.before-promise',
  'sink.after-promise',
  'sink.before-write',
  'sink.after-write',
] as const;

export interface Request {
  readonly source: 'beds' | 'calls';
  readonly origin: string;
  readonly id: string;
  readonly events: readonly { id: string; value: number | null; time: number }[];
}

const begin = 1_700_000_000_000;

/** What one sender sends, in its order. */
export function requestsOf(origin: string, source: Request['source'], count: number, random: Random): Request[] {
  let time = begin;
  let event = 0;
  return Array.from({ length: count }, (_, index) => ({
    source,
    origin,
    id: `r${index}`,
    events: Array.from({ length: random.int(1, 3) }, () => {
      time += random.int(100, 4_000);
      const refused = source === 'beds' && random.chance(0.1);
      return { id: `${source}-${origin}-${event++}`, value: refused ? null : random.int(0, 9), time };
    }),
  }));
}

/** A life after the other, until every sender has its answers. */
export interface Schedule {
  /** How the n-th process (from 0) starts. */
  life(index: number): LabStartOptions;
  readonly faults?: FaultPlan;
  /** At most so many lives; more mean that it does not get on. */
  readonly livesMax: number;
}

export interface ChaosResult {
  readonly lab: Lab;
  readonly last: LabProcess;
  readonly lives: number;
  readonly visits: ReadonlyMap<string, number>;
}

export async function runSchedule(senders: readonly Request[][], schedule: Schedule): Promise<ChaosResult> {
  const lab = openLab({ topology: chaosTopology, ...(schedule.faults && { faults: schedule.faults }) });
  const waiting = senders.map((requests) => [...requests]);
  const visits = new Map<string, number>();
  for (let index = 0; index < schedule.livesMax; index++) {
    const process = await lab.start(schedule.life(index)).catch((error) => {
      // The log gave no answer for so long that the start gave up: whoever watches over the engine starts it again.
      if (error instanceof MachError && error.code === 'MACH3002') return undefined;
      throw error;
    });
    if (!process) continue;
    const finished = !process.dead && (await liveOnce(lab, process, waiting));
    for (const [name, count] of process.crashPoints.visits) visits.set(name, (visits.get(name) ?? 0) + count);
    // A checkpoint of the timer may have died after all was written.
    if (!finished || process.dead) {
      process.kill();
      continue;
    }
    return { lab, last: process, lives: index + 1, visits };
  }
  throw new Error(`not done after ${schedule.livesMax} lives; ${waiting.flat().length} requests are left`);
}

/** True when everything was sent and written; false when the process died or gave up before. */
async function liveOnce(lab: Lab, process: LabProcess, waiting: Request[][]): Promise<boolean> {
  const gaveUp = process.engine?.failed.then(() => false) ?? Promise.resolve(false);
  const died = process.died.then(() => false);
  const sent = Promise.all(waiting.map((requests) => sendAll(process, requests))).then(async () => {
    if (process.dead) return false;
    await process.engine?.settled();
    // Once more than the timer would: the last checkpoint of this life holds everything.
    for (const unit of process.engine?.units.values() ?? []) await unit.checkpoint();
    return !process.dead;
  });
  sent.catch(() => undefined);
  return lab.drive(Promise.race([sent.catch(() => false), gaveUp, died]));
}

/** In order, each until it is answered; a request that had no answer is sent again by the next life. */
async function sendAll(process: LabProcess, requests: Request[]): Promise<void> {
  while (requests.length > 0 && !process.dead) {
    const [{ source, origin, id, events }] = requests as [Request];
    const typed = events.map(({ id: event, value, time }) => ({
      event: { id: event, hospital: origin, value, patient: null },
      time,
    }));
    try {
      await process.source(source).append({ origin, id, events: typed });
    } catch (error) {
      if (process.dead) return;
      // Refused: the sender tries again after a while.
      await process.source(source).clock.sleep(limits.appendRetryDelayMs);
      void error;
      continue;
    }
    if (process.dead) return;
    requests.shift();
  }
}

/** Nothing missing, nothing twice, everything in order, every event accounted for. */
export function expectExactlyOnce(senders: readonly Request[][], { lab, last }: ChaosResult): void {
  const rows = lab.events('rows');
  expect(rows.map(({ number }) => number)).toEqual(rows.map((_, index) => index + 1));
  const sent = senders.flat().flatMap(({ events }) => events);
  const wanted = sent.filter(({ value }) => value !== null).map(({ id }) => id);
  expect(rows.map(({ id }) => id).sort()).toEqual([...wanted].sort());
  for (const requests of senders) {
    const own = requests.flatMap(({ events }) => events.filter(({ value }) => value !== null).map(({ id }) => id));
    const set = new Set(own);
    expect(rows.map(({ id }) => String(id)).filter((id) => set.has(id))).toEqual(own);
  }
  if (!last.engine) throw new Error('the last process has no engine');
  const parts = [...last.engine.units.values()].flatMap(({ stages }) =>
    stages.map(({ machine }) => machine.accounting),
  );
  for (const accounting of parts) expect(isBalanced(accounting), JSON.stringify(accounting)).toBe(true);
  if (last.engine.plan.partitions === 1) {
    const [accounting] = parts as [Accounting];
    expect(accounting.in - (accounting.dropped_by_reason['appended twice'] ?? 0)).toBe(sent.length);
  }
  expectOneRowForEach(lab.sink('sums'));
  const numbers = lab.events('numbers');
  expect(numbers.map(({ number }) => number)).toEqual(numbers.map((_, index) => index + 1));
  expect(numbers.length).toBe(lab.sink('sums').rows.length);
  // A log that gives no answer for long may cost a checkpoint, and nothing else.
  const errors = last.logged.filter(
    ({ level, message }) => level === 'error' && message !== 'no checkpoint could be taken',
  );
  expect(errors).toEqual([]);
}

/** A window has one row, whatever died while it closed. */
function expectOneRowForEach(sums: CollectedSink): void {
  const keys = sums.rows.map(({ event }) => `${event.hospital}/${event.begin}`);
  expect(keys.length).toBe(new Set(keys).size);
}
