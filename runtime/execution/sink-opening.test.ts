/** Sinks whose other end is away when the engine starts, or refuses them later than that. */
import { describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { storeErrors } from '../store/errors.ts';
import { type Lab, type LabProcess, openLab } from '../testing/engine-lab.ts';
import { executionErrors } from './errors.ts';

const topology = `
version: 1
name: lab
sources: { calls: { pulses: {}, idle: 30d } }
sinks:
  rows: { collect: { from: calls } }
  others: { collect: { from: calls, table: others } }
`;

let times = 1_700_000_000_000;

async function send(lab: Lab, process: LabProcess, id: string): Promise<void> {
  const event = { id, hospital: 'H1', value: 1, patient: null };
  await lab.drive(process.source('calls').append({ origin: 'H1', events: [{ event, time: times++ }] }));
}

const idsOf = (lab: Lab, sink: string) => lab.events(sink).map(({ id }) => id);
const away = () => storeErrors.make('MACH3109', { reason: 'connection refused', timeoutMs: 1 });
const conflict = () =>
  storeErrors.make('MACH3101', { table: 'rows', column: 'id', actual: 'Int8', wanted: 'LowCardinality(String)' });

/** `problem`: what opening the sink `rows` meets. */
function openWorld() {
  const state: { problem: (() => Error) | undefined; tries: number; closed: number; hang?: Promise<void> } = {
    problem: undefined,
    tries: 0,
    closed: 0,
  };
  const lab = openLab({
    topology,
    edges: {
      async openSink(sink) {
        if (sink !== 'rows') return;
        state.tries++;
        await state.hang;
        if (state.problem) throw state.problem();
      },
      closedSink(sink) {
        if (sink === 'rows') state.closed++;
      },
    },
  });
  const problemOf = (process: LabProcess) => process.engine?.sinks.get('rows')?.problem;
  return { lab, state, problemOf };
}

describe('many sinks, and many partitions', () => {
  it('are no leak of listeners: nothing is warned of', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => void warnings.push(warning);
    process.on('warning', note);
    const sinks = Array.from({ length: 13 }, (_, at) => `  s${at}: { collect: { from: calls, table: t${at} } }\n`);
    const lab = openLab({ topology: topology + sinks.join('') });
    const running = await lab.start({ partitions: 13 });
    await send(lab, running, 'a');
    await lab.settle(running);
    await lab.drive(running.engine?.drain() as Promise<void>);
    // Warnings are told in a later turn.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', note);
    expect(warnings).toEqual([]);
    expect(idsOf(lab, 's12')).toEqual(['a']);
  });
});

describe('a sink whose other end is away at the start', () => {
  it('keeps nobody from starting: senders are answered, other sinks go on, its rows come once it is back', async () => {
    const { lab, state, problemOf } = openWorld();
    state.problem = away;
    const process = await lab.start();
    await send(lab, process, 'a');
    const minuteMs = 60_000;
    await lab.clock.advance(minuteMs);
    expect(process.engine?.state).toBe('running');
    expect([idsOf(lab, 'rows'), idsOf(lab, 'others')]).toEqual([[], ['a']]);
    expect(problemOf(process)).toBe(
      `MACH3109 the store did not answer: connection refused (tried ${state.tries} times)`,
    );
    expect(state.tries).toBeGreaterThan(minuteMs / (2 * limits.sinkOpenRetryDelayMaxMs));
    expect(state.tries).toBeLessThan((2 * minuteMs) / limits.sinkOpenRetryDelayMaxMs);
    state.problem = undefined;
    await lab.settle(process);
    await send(lab, process, 'b');
    await lab.settle(process);
    expect([idsOf(lab, 'rows'), problemOf(process)]).toEqual([['a', 'b'], null]);
  });

  it('is refused loudly when it comes back with another table; the others go on, and so does it once that is mended', async () => {
    const { lab, state, problemOf } = openWorld();
    state.problem = away;
    const process = await lab.start();
    await send(lab, process, 'a');
    state.problem = conflict;
    await lab.clock.advance(limits.sinkOpenRetryDelayMaxMs);
    expect(problemOf(process)).toMatch(/^MACH3101 table rows has column id of type Int8.*\(tried \d+ times\)$/);
    expect(process.logged).toContainEqual({
      level: 'error',
      message: 'the sink cannot be opened; its rows wait in the log',
      fields: expect.objectContaining({ sink: 'rows', error: expect.stringContaining('MACH3101') }),
    });
    await send(lab, process, 'b');
    await lab.clock.advance(limits.sinkOpenRetryDelayMaxMs);
    expect([process.engine?.state, idsOf(lab, 'rows'), idsOf(lab, 'others')]).toEqual(['running', [], ['a', 'b']]);
    state.problem = undefined;
    await lab.settle(process);
    expect(idsOf(lab, 'rows')).toEqual(['a', 'b']);
  });

  it('writes again after a restart what was promised before, when it is back', async () => {
    const { lab, state } = openWorld();
    const first = await lab.start({ prepare: (points) => points.arm('sink.after-write', 1) });
    const sent = send(lab, first, 'a').catch(() => undefined);
    await lab.drive(Promise.race([first.died, lab.clock.sleep(60_000)]));
    expect(first.dead).toBe(true);
    void sent;
    state.problem = away;
    const second = await lab.start();
    await lab.clock.advance(1_000);
    state.problem = undefined;
    await lab.settle(second);
    expect(idsOf(lab, 'rows')).toEqual(['a']);
  });

  it('does not hold up the start for longer than sinkOpenWaitMs when nobody answers at all', async () => {
    const { lab, state, problemOf } = openWorld();
    let answer: () => void = () => {};
    state.hang = new Promise((resolve) => {
      answer = resolve;
    });
    const before = lab.clock.now();
    const process = await lab.start();
    const tookMs = lab.clock.now() - before;
    expect(tookMs).toBeGreaterThanOrEqual(limits.sinkOpenWaitMs);
    expect(tookMs).toBeLessThan(2 * limits.sinkOpenWaitMs);
    expect(problemOf(process)).toBe('it is being opened');
    answer();
    await send(lab, process, 'a');
    await lab.settle(process);
    expect([idsOf(lab, 'rows'), problemOf(process)]).toEqual([['a'], null]);
  });

  it.each(['stop', 'drain'] as const)(
    'is left alone after %s, and closed again when it opens too late',
    async (end) => {
      const { lab, state } = openWorld();
      let answer: () => void = () => {};
      state.hang = new Promise((resolve) => {
        answer = resolve;
      });
      const process = await lab.start();
      await lab.drive(process.engine?.[end]() as Promise<void>);
      expect(state.closed).toBe(0);
      answer();
      await lab.clock.advance(10 * limits.sinkOpenRetryDelayMaxMs);
      expect([state.tries, state.closed, process.engine?.state]).toEqual([1, 1, 'stopped']);
    },
  );
});

describe('a sink that is refused', () => {
  it('at the start ends it', async () => {
    const { lab, state } = openWorld();
    state.problem = conflict;
    await expect(lab.start()).rejects.toMatchObject({ code: 'MACH3101' });
  });

  it('because the store has the rows of another log, ends the start, or the engine when that is seen later', async () => {
    const other = () => executionErrors.make('MACH3215', { topology: 'lab', before: 'x', now: 'y' });
    const { lab } = openWorld();
    await expect(lab.start({ admitStore: () => Promise.reject(other()) })).rejects.toMatchObject({ code: 'MACH3215' });
    let seen = away();
    const process = await lab.start({ admitStore: () => Promise.reject(seen) });
    await send(lab, process, 'a');
    expect(process.engine?.state).toBe('running');
    seen = other();
    expect(await lab.drive(process.engine?.failed as Promise<unknown>)).toMatchObject({ code: 'MACH3215' });
    expect(idsOf(lab, 'rows')).toEqual([]);
  });
});
