/**
 * When a contender may start. One that has answered may go on working: a virtual machine compiles, collects and takes its cluster down for up to two
 * seconds on both cores, and whoever comes next in turn would be timed beside it.
 */
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

const lookMs = 150;
/** Of all cores. */
const busyShareMax = 0.1;
const waitMsMax = 10_000;

/** Waits until the machine does next to nothing; false: it still did when the wait was over. */
export async function waitUntilQuiet(read: () => Ticks = ticks, waitMs = waitMsMax): Promise<boolean> {
  let before = read();
  for (let waited = 0; waited < waitMs; waited += lookMs) {
    await sleep(lookMs);
    const after = read();
    if (after.busy - before.busy <= busyShareMax * (after.all - before.all)) return true;
    before = after;
  }
  return false;
}

/** Of all cores together, ms since the machine was started. */
export interface Ticks {
  readonly busy: number;
  readonly all: number;
}

function ticks(): Ticks {
  const times = cpus().map((cpu) => cpu.times);
  const all = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
  return { busy: all - times.reduce((sum, { idle }) => sum + idle, 0), all };
}
