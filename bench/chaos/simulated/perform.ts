/** Makes the faults of a schedule happen. */
import type { MemoryStorage, StoredStream } from '../../../runtime/bus/memory/storage.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Random } from '../../../runtime/random.ts';
import type { ActiveFaults } from './active-faults.ts';
import type { Cluster } from './cluster.ts';
import type { Action, ActionKind } from './schedule.ts';
import type { Sender } from './senders.ts';
import type { SimulatedStore } from './simulated-store.ts';

export interface Stage {
  readonly clock: Clock;
  readonly storage: MemoryStorage;
  readonly store: SimulatedStore;
  readonly faults: ActiveFaults;
  readonly cluster: Cluster;
  readonly senders: readonly Sender[];
  /** Rate at which answers to senders are lost. */
  answers: { lostRate: number; random: Random };
  /** What has begun by itself and is to end before the quiet. */
  readonly under: Set<Promise<void>>;
  /** What has struck, by kind. */
  readonly struck: Map<ActionKind, number>;
}

const logAwayDelayMs = 0;

/** Performs one action; resolves when what it began has ended. */
export async function perform(action: Action, random: Random, stage: Stage): Promise<void> {
  const { clock, cluster, struck } = stage;
  const strike = () => void struck.set(action.kind, (struck.get(action.kind) ?? 0) + 1);
  const spell = async (forMs: number, end: () => void) => {
    strike();
    await clock.sleep(forMs);
    end();
  };
  switch (action.kind) {
    case 'crash':
      for (const process of cluster.running()) {
        process.crashAt(action.point, action.visit);
        void process.died.then(() => process.reason.startsWith('crash at') && strike());
      }
      return;
    case 'kill':
      strike();
      return cluster.owner()?.kill('killed');
    case 'restart': {
      const process = cluster.owner();
      if (!process?.engine) return;
      strike();
      await Promise.race([process.engine.drain().catch(() => undefined), process.died]);
      return process.kill('restarted');
    }
    case 'pause': {
      const process = cluster.owner();
      if (!process) return;
      process.pause();
      return spell(action.forMs, () => process.resume());
    }
    case 'pause-at-point':
      for (const process of cluster.running()) {
        process.pauseAt(action.point, action.visit, () => {
          stage.under.add(spell(action.forMs, () => process.resume()));
        });
      }
      return;
    case 'second-owner':
      strike();
      return void cluster.add();
    case 'log-away':
      return spell(
        action.forMs,
        stage.faults.begin({ fault: 'append-lost', rate: 1, delayMaxMs: logAwayDelayMs, random }),
      );
    case 'store-refuses':
    case 'store-times-out':
    case 'store-down':
      return spell(action.forMs, stage.store.begin(action.kind, action.rate, random));
    case 'checkpoint-damaged': {
      if (!damageCheckpoints(stage.storage, action, random)) return;
      strike();
      for (const process of cluster.running()) process.kill('killed, with a damaged checkpoint');
      return;
    }
    case 'clock-jump':
      strike();
      for (const process of cluster.processes) process.jumpClock(action.byMs);
      return;
    case 'answer-lost':
      stage.answers = { lostRate: action.rate, random };
      return spell(action.forMs, () => {
        stage.answers = { lostRate: 0, random };
      });
    case 'late-events':
    case 'duplicate-events':
    case 'poison-events':
      strike();
      return random.pick(stage.senders).surge(action.kind, action.events);
    default: {
      const { kind: fault, rate, delayMaxMs } = action;
      return spell(action.forMs, stage.faults.begin({ fault, rate, delayMaxMs, random }));
    }
  }
}

/** Bytes of checkpoints as they lie in the log, changed behind everyone's back. False when there is none. */
function damageCheckpoints(
  storage: MemoryStorage,
  { how, which }: { how: 'truncated' | 'flipped'; which: 'newest' | 'all' },
  random: Random,
): boolean {
  const streams = [...storage.streams.values()].filter(({ spec }) => spec.name.startsWith('objects-'));
  const pieces = streams.flatMap((stream) => {
    const ids = checkpointIds(stream);
    return [...stream.messages.values()]
      .filter(({ subject }) => subject.includes('.chunk.') && ids.has(subject.split('.').at(-2) ?? ''))
      .map(({ sequence }) => ({ stream, sequence }));
  });
  const damaged = which === 'all' ? pieces : pieces.slice(-1);
  for (const { stream, sequence } of damaged) damage(stream, sequence, how, random);
  return damaged.length > 0;
}

/** Ids of the objects that are checkpoints of a stage: `s1/0/...`, in the history too. */
function checkpointIds(stream: StoredStream): ReadonlySet<string> {
  const lists = [...stream.messages.values()].filter(({ subject }) => subject.includes('.name.'));
  const named = lists.map(({ payload }) => JSON.parse(Buffer.from(payload).toString()) as { name: string; id: string });
  return new Set(named.filter(({ name }) => /(^|\/)s\d+\/\d+\//.test(name)).map(({ id }) => id));
}

function damage(stream: StoredStream, sequence: number, how: 'truncated' | 'flipped', random: Random): void {
  const message = stream.messages.get(sequence);
  if (!message) return;
  const payload = message.payload.slice(0, how === 'truncated' ? random.int(0, message.payload.length - 1) : undefined);
  const at = random.int(0, Math.max(0, payload.length - 1));
  if (how === 'flipped') payload[at] = (payload[at] ?? 0) ^ (1 << random.int(0, 7));
  stream.messages.set(sequence, { ...message, payload });
}
