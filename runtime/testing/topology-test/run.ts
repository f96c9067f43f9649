/** Runs tests of a topology, each in a world of its own. */
import { isDeepStrictEqual } from 'node:util';
import { fillMessage, MachError, messageOf } from '../../errors.ts';
import { isBalanced } from '../../stream/ledger.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import type { Span } from '../../topology/ir/span.ts';
import type { BoundStep, BoundTest, SendStep, TestFile } from './bound-test.ts';
import { alignRows, checkExpectation } from './compare.ts';
import { topologyTestErrors } from './errors.ts';
import { topologyTestLimits } from './limits.ts';
import { cutsFor, replay } from './replay.ts';
import { openWorld, type World } from './world.ts';

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
}

export async function* runTopologyTests({ topology, tests }: TestFile): AsyncGenerator<TestResult> {
  for (const test of tests) {
    const failures = await runTest(topology, test);
    yield { name: test.name, line: test.place.line, failures };
  }
}

async function runTest(topology: BoundTopology, test: BoundTest): Promise<TestFailure[]> {
  const failures: TestFailure[] = [];
  let place = test.place;
  let world: World | undefined;
  try {
    world = await openWorld({ topology, startMs: test.startMs });
    for (const [index, step] of test.steps.entries()) {
      place = step.place;
      // The crash to come then has something to replay.
      if (test.steps.slice(index + 1).find(isActing)?.kind === 'crash' && isActing(step)) await world.checkpoint();
      failures.push(...(await runStep(step, world, topology)));
    }
    place = test.place;
    failures.push(...checkEnd(test, world, topology));
  } catch (error) {
    failures.push(failure('MACH1523', place, { reason: reasonOf(error, topology) }));
  } finally {
    await world?.close();
  }
  return failures;
}

function isActing({ kind }: BoundStep): boolean {
  return kind !== 'expect' && kind !== 'fault';
}

async function runStep(step: BoundStep, world: World, topology: BoundTopology): Promise<TestFailure[]> {
  switch (step.kind) {
    case 'send':
      await send(step, world);
      return [];
    case 'advance':
      await world.advance(step.byMs);
      return [];
    case 'crash':
      await world.crash();
      return [];
    case 'fault':
      if (step.crashAt !== undefined) world.armCrash(step.crashAt);
      if (step.dropAcknowledgements > 0) world.dropAcknowledgements(step.dropAcknowledgements);
      return [];
    case 'expect':
      return step.expectations(world.now()).flatMap((expectation) => {
        const mismatch = checkExpectation(expectation, world, topology);
        if (!mismatch) return [];
        return [failure('MACH1520', expectation.place, { what: mismatch.what }, mismatch.difference)];
      });
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
      const before = world.rows(id);
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
