/** Two workers that both believe to own the same partitions. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineRun, Worker } from './engine-process.ts';
import { ownedBy } from './evidence.ts';
import type { FaultContext } from './faults.ts';

/** No promise of the engine (5 s): a machine that is busy with much else needs longer, and it must really happen. */
const takeoverDeadlineMs = 180_000;
const noticeDeadlineMs = 60_000;
const looksEveryMs = 100;
const attemptsMax = 5;
/** What an owner says that has found out that it is none any more. */
const losses: readonly unknown[] = ['lease lost', 'partition given up', 'partition dropped; it will be tried again'];

/** Looks until something is there; undefined at the deadline. */
async function until<T>(deadlineMs: number, look: () => Promise<T | undefined>): Promise<T | undefined> {
  const late = Date.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found !== undefined || Date.now() > late) return found;
    await sleep(looksEveryMs);
  }
}

async function heldBy(worker: Worker): Promise<{ owner: EngineRun; held: readonly number[] } | undefined> {
  const owner = worker.run;
  const held = await ownedBy(owner);
  return held.length > 0 ? { owner, held } : undefined;
}

/**
 * The partitions of a worker that stands still are taken by the other; then it goes on, and believes to own what it no longer does. Whoever
 * is behind must be refused, and nothing that it does may count twice. Rejects when nothing changed hands, or the first did not notice.
 */
export async function letAnotherTakeOver(context: FaultContext): Promise<string> {
  const { world, random, span } = context;
  await world.untilRunning();
  const [first, second] = random.shuffle(world.workers) as [Worker, Worker];
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const happened = await takeOver(first, second);
    if (!happened) continue;
    await sleep(span(500, 10_000));
    return happened;
  }
  throw new Error(`the second lost what it had taken before the first went on, ${attemptsMax} times`);
}

/** What happened; undefined when the second lost it again by another fault of the same time: then the first is the owner that it believes to be. */
async function takeOver(first: Worker, second: Worker): Promise<string | undefined> {
  const before = await until(takeoverDeadlineMs, () => heldBy(first));
  if (!before) throw new Error(`the first held no partition within ${takeoverDeadlineMs} ms`);
  const { owner, held } = before;
  const owns = async (run: EngineRun) => {
    const owned = await ownedBy(run);
    return held.every((partition) => owned.includes(partition));
  };
  const said = new Set(owner.lines);
  const stoppedAt = Date.now();
  first.pause();
  let tookMs: number | undefined;
  try {
    // Asked anew each time: the second may be started again on the way.
    tookMs = await until(takeoverDeadlineMs, async () =>
      (await owns(second.run)) ? Date.now() - stoppedAt : undefined,
    );
  } finally {
    first.resume();
  }
  const what = `partitions ${held.join(', ')}`;
  if (tookMs === undefined) throw new Error(`the second did not take over ${what} within ${takeoverDeadlineMs} ms`);
  const noticed = await until(noticeDeadlineMs, async () => {
    if (!owner.isAlive) return 'the first ended';
    const loss = owner.lines.find((line) => !said.has(line) && losses.includes(line.msg));
    if (loss) return `the first noticed (${loss.msg})`;
    return (await owns(owner)) && !(await owns(second.run)) ? 'nothing' : undefined;
  });
  if (noticed === 'nothing') return undefined;
  if (noticed === undefined)
    throw new Error(`the first did not notice within ${noticeDeadlineMs} ms that it lost ${what}`);
  return `${what} taken over after ${tookMs} ms; ${noticed}`;
}
