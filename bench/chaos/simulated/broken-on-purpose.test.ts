/**
 * The oracle is worth what it notices. Each promise is broken once, from the outside, by what stands between the engine and the
 * world here: then it must find the fault, and with the same seeds and schedules find nothing when nothing is broken.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { Log, LogStream } from '../../../runtime/bus/log.ts';
import type { Store } from '../../../runtime/store/store.ts';
import { Ledger, outcome } from '../../../runtime/stream/ledger.ts';
import type { SourceContext } from '../../../runtime/stream/source-definition.ts';
import type { Tampering } from './process.ts';
import type { Action } from './schedule.ts';
import { attempt } from './shrink.ts';
import type { SimulationOptions } from './simulate.ts';
import type { Form, WorkloadVariant } from './workloads.ts';

const seeds = [11, 12, 13, 14];
const oneProcess: Form = { partitions: 1, workers: undefined };
const calm: WorkloadVariant = { name: 'identity', idle: '30d', order: 'kept' };

async function problemsOf(options: Omit<SimulationOptions, 'seed'>): Promise<string[]> {
  const all: string[] = [];
  for (const seed of seeds) {
    const tried = await attempt({ seed, form: oneProcess, ...options });
    if (!tried.held) all.push(...tried.problems.map((problem) => `seed ${seed}: ${problem}`));
  }
  return all;
}

/** With nothing broken the same seeds and faults are no problem: so it is the break that is found. */
async function expectFound(broken: Tampering, options: Omit<SimulationOptions, 'seed'>, found: RegExp): Promise<void> {
  expect(await problemsOf(options)).toEqual([]);
  expect((await problemsOf({ ...options, tampering: broken })).join('\n')).toMatch(found);
}

describe('broken on purpose', () => {
  const { settle } = Ledger.prototype;
  afterEach(() => {
    Ledger.prototype.settle = settle;
  });

  it('the deduplication token left out: rows come twice', async () => {
    let inserts = 0;
    const withoutToken = (store: Store): Store => ({
      ...store,
      insert: (table, rows, token) => store.insert(table, rows, `${token}#${++inserts}`),
    });
    const schedule: Action[] = [{ atMs: 5_000, kind: 'store-times-out', rate: 0.6, forMs: 30_000 }];
    await expectFound({ store: withoutToken }, { schedule, workload: calm }, /table (rows|valid): twice/);
  });

  it('the fence left out: two owners write the same rows', async () => {
    const unfencedStream = (stream: LogStream): LogStream => ({
      ...stream,
      append(subject, payload, options = {}) {
        const { expectedLastSubjectSequence: _fence, id: _identity, ...rest } = options;
        return stream.append(subject, payload, rest);
      },
    });
    const withoutFence = (log: Log): Log => ({
      ...log,
      stream: async (spec) => unfencedStream(await log.stream(spec)),
    });
    const schedule: Action[] = [
      { atMs: 5_000, kind: 'second-owner' },
      { atMs: 20_000, kind: 'pause', forMs: 30_000 },
    ];
    await expectFound({ log: withoutFence }, { schedule, workload: calm }, /one identity, two rows|: twice/);
  });

  it('the acknowledgement before the append: what was owed is gone', async () => {
    const hasty = (context: SourceContext): SourceContext => ({
      ...context,
      async append(request) {
        void context.append(request).catch(() => undefined);
      },
    });
    const schedule: Action[] = [
      { atMs: 5_000, kind: 'append-lost', rate: 0.5, forMs: 60_000, delayMaxMs: 0 },
      ...[15_000, 25_000, 35_000].map((atMs): Action => ({ atMs, kind: 'kill' })),
    ];
    await expectFound({ source: hasty }, { schedule, workload: calm }, /owed, but not in the log/);
  });

  it('the late port not counted: events are not accounted for', async () => {
    const schedule: Action[] = [20_000, 30_000, 40_000, 50_000].map((atMs) => ({
      atMs,
      kind: 'late-events',
      events: 6,
    }));
    const options = { schedule, workload: { ...calm, name: 'windows' } as const };
    expect(await problemsOf(options)).toEqual([]);
    Ledger.prototype.settle = function (cause, result, reason) {
      if (result !== outcome.late) settle.call(this, cause, result, reason);
    };
    expect((await problemsOf(options)).join('\n')).toMatch(/counted late: \d+, must be \d+/);
  });
});
