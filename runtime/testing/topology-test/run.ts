/** Runs tests of a topology, each in a world of its own. */
import { isDeepStrictEqual } from 'node:util';
import { fillMessage, MachError, messageOf } from '../../errors.ts';
import { isBalanced } from '../../stream/ledger.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import type { Span } from '../../topology/ir/span.ts';
import { alignRows } from './align.ts';
import type { BoundStep, BoundTest, ExpectStep, SendStep, TestFile } from './bound-test.ts';
import { type Checking, checkExpectation } from './compare.ts';
import { type Reached, reachedBy } from './coverage.ts';
import { topologyTestErrors } from './errors.ts';
import { topologyTestLimits } from './limits.ts';
import { partitionDifference } from './partition-difference.ts';
import { cutsFor, replay } from './replay.ts';
import type { Snapshots } from './snapshots.ts';
import { openWorld } from './world.ts';
import type { World, WorldOptions } from './world-form.ts';

export interface TestFailure {
  readonly code: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly difference: readonly string[];
}

export interface TestResult {
  readonly name: string;
  readonly line: number;
  readonly failures: readonly TestFailure[];
  /** What the test came to; undefined when it broke off. */
  readonly reached: Reached | undefined;
}

interface Running {
  readonly topology: BoundTopology;
  readonly test: BoundTest;
  readonly snapshots: Checking['snapshots'];
}

/** `snapshots`: without them every expected snapshot is missing. */
export async function* runTopologyTests(
  { topology, tests }: TestFile,
  snapshots?: Snapshots,
): AsyncGenerator<TestResult> {
  for (const test of tests) {
    const own: Checking['snapshots'] = {
      update: snapshots?.update ?? false,
      get: (name) => snapshots?.get(test.name, name),
      put: (name, rows) => snapshots?.put(test.name, name, rows),
    };
    const { failures, reached } = await runTest({ topology, test, snapshots: own });
    yield { name: test.name, line: test.place.line, failures, reached };
  }
}

async function runTest(running: Running): Promise<Pick<TestResult, 'failures' | 'reached'>> {
  const { topology, test } = running;
  const failures: TestFailure[] = [];
  let place = test.place;
  let world: World | undefined;
  let reached: Reached | undefined;
  try {
    world = await openWorld(worldOf(running));
    await runSteps(running, world, async (step) => {
      place = step.place;
      failures.push(...(await runStep(step, world as World, running)));
    });
    place = test.place;
    await world.finish();
    const fault = test.steps.findLast(({ kind }) => kind === 'fault');
    const outstanding = world.outstanding();
    if (fault && outstanding.length > 0)
      failures.push(failure('MACH1527', fault.place, { fault: outstanding.join(', ') }));
    reached = reachedBy(world.lookBack());
    failures.push(...checkEnd(test, world, topology));
    if (test.partitions > 1 && failures.length === 0) {
      const difference = await partitionDifference({ world, topology, test });
      if (difference) failures.push(failure(difference.code, test.place, difference.data, difference.lines));
    }
  } catch (error) {
    failures.push(brokenOff(error, place, topology));
  } finally {
    await world?.close();
  }
  return { failures, reached };
}

function worldOf({ topology, test }: Running): WorldOptions {
  return { topology, startMs: test.startMs, mocks: test.mocks };
}

async function runSteps({ test }: Running, world: World, run: (step: BoundStep) => Promise<void>): Promise<void> {
  for (const [index, step] of test.steps.entries()) {
    // The crash to come then has something to replay.
    if (test.steps.slice(index + 1).find(isActing)?.kind === 'crash' && isActing(step)) await world.checkpoint();
    await run(step);
  }
}

function brokenOff(error: unknown, place: Span, topology: BoundTopology): TestFailure {
  if (error instanceof MachError && error.code === 'MACH1524') {
    return failure('MACH1524', place, error.data as Readonly<Record<string, string>>);
  }
  return failure('MACH1523', place, { reason: reasonOf(error, topology) });
}

function isActing({ kind }: BoundStep): boolean {
  return kind !== 'expect' && kind !== 'fault';
}

async function runStep(step: BoundStep, world: World, { topology, snapshots }: Running): Promise<TestFailure[]> {
  if (step.kind !== 'expect') {
    await act(step, world);
    return [];
  }
  const failures: TestFailure[] = [];
  for (const expectation of step.expectations(world.now())) {
    const mismatch = await checkExpectation(expectation, { world, topology, snapshots });
    if (!mismatch) continue;
    const { code = 'MACH1520', what, difference } = mismatch;
    const data = code === 'MACH1525' ? { name: what } : { what };
    failures.push(failure(code, expectation.place, data, difference));
  }
  return failures;
}

async function act(step: Exclude<BoundStep, ExpectStep>, world: World): Promise<void> {
  switch (step.kind) {
    case 'send':
      return send(step, world);
    case 'advance':
      return world.advance(step.byMs);
    case 'crash':
      return world.crash();
    case 'fault':
      if (step.crashAt !== undefined) world.armCrash(step.crashAt);
      if (step.crashAfter !== undefined) world.crashAfter(step.crashAfter);
      if (step.dropAcknowledgements > 0) world.dropAcknowledgements(step.dropAcknowledgements);
      if (step.storeDownMs > 0) world.storeDown(step.storeDownMs);
  }
}

async function send({ source, repeat, everyMs, requests }: SendStep, world: World): Promise<void> {
  if (everyMs === 0) {
    const all = Array.from({ length: repeat }, (_, index) => requests(world.now(), index + 1));
    return world.append(source, all.flat());
  }
  for (let repetition = 1; repetition <= repeat; repetition++) {
    if (repetition > 1) await world.advance(everyMs);
    await world.append(source, requests(world.now(), repetition));
  }
}

const cutNames = { 'as it came': 'handled again with a crash', apart: 'cut into single events', together: 'joined' };

function checkEnd({ place }: BoundTest, world: World, topology: BoundTopology): TestFailure[] {
  const accounting = world.accounting();
  if (!isBalanced(accounting)) return [failure('MACH1521', place, { accounting: JSON.stringify(accounting) })];
  const inputs = world.inputs();
  for (const cut of cutsFor(topology)) {
    const again = replay(topology, inputs, cut);
    const how = `${cutNames[cut]}, with a crash in the middle`;
    for (const { id } of topology.sinks) {
      const before = world.rows(id).map(({ event, time }) => ({ event, time }));
      const after = again.rows.get(id) ?? [];
      const plain = after.map(({ event, time }) => ({ event, time }));
      if (isDeepStrictEqual(before, plain)) continue;
      const expected = before.map(({ event, time }) => ({ fields: event, time }));
      const difference = alignRows(expected, plain)
        .filter(({ expected: one, row }) => !one || !row)
        .slice(0, topologyTestLimits.shownRowsMax)
        .map(({ expected: one, row }) => (one ? `- ${JSON.stringify(one.fields)}` : `+ ${JSON.stringify(row?.event)}`));
      return [failure('MACH1522', place, { sink: id, how }, difference)];
    }
    if (isDeepStrictEqual(again.accounting, accounting)) continue;
    const difference = [`- ${JSON.stringify(accounting)}`, `+ ${JSON.stringify(again.accounting)}`];
    return [failure('MACH1522', place, { sink: 'the accounting', how }, difference)];
  }
  return [];
}

function reasonOf(error: unknown, { redactor }: BoundTopology): string {
  const code = error instanceof MachError ? `${error.code} ` : '';
  return redactor.redact(`${code}${messageOf(error)}`);
}

function failure(
  code: keyof typeof topologyTestErrors.list & string,
  { line, column }: Span,
  data: Readonly<Record<string, string>>,
  difference: readonly string[] = [],
): TestFailure {
  return { code, line, column, message: fillMessage(topologyTestErrors.list[code].message, data), difference };
}
