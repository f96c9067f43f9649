/**
 * Runs one operator over a list of steps, cut into log messages at will and crashed at will: for the tests of operators.
 *
 * ```ts
 * const run = operatorRun({ definition: dedupe, options: { from: 'in', by: 'id', within: '1h' }, schema });
 * const result = run([at(0, { id: 'a' }), at(1_000, { id: 'a' }), watermark(60_000)]);
 * expect(result.events('out')).toEqual([{ id: 'a' }]);
 * expectSameForAnyCut(run, stepsArbitrary);
 * ```
 */
import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { Subject } from 'rxjs';
import { expect } from 'vitest';
import type { z } from 'zod';
import { answersInput, type LookupEdge, lookupOperator } from '../execution/lookup.ts';
import { compileAggregateExpression, compileExpression } from '../expression/index.ts';
import type { Checker, OptionPath } from '../stream/checker.ts';
import type { BoundInput } from '../stream/definition.ts';
import { EventColumns } from '../stream/event-columns.ts';
import { columnBatch, end, type Frame } from '../stream/frame.ts';
import { type Accounting, isBalanced, Ledger, outcome } from '../stream/ledger.ts';
import type { RunnerSnapshot } from '../stream/node-runner.ts';
import type { BoundOperator, LookupSpec, OperatorDefinition } from '../stream/operator-definition.ts';
import { OperatorRunner } from '../stream/operator-runner.ts';
import type { Event, Schema } from '../stream/schema.ts';

export interface EventStep {
  readonly kind: 'event';
  readonly input: string;
  readonly time: number;
  readonly event: Event;
}

export interface WatermarkStep {
  readonly kind: 'watermark';
  /** All inputs when absent. */
  readonly input?: string;
  readonly time: number;
  readonly idle: boolean;
}

export type Step = EventStep | WatermarkStep;

/** An event at a time, on an input (default: `from`). */
export function at(time: number, event: Event, input = 'from'): EventStep {
  return { kind: 'event', input, time, event };
}

export function watermark(time: number, options: { input?: string; idle?: boolean } = {}): WatermarkStep {
  const { input, idle = false } = options;
  return { kind: 'watermark', time, idle, ...(input === undefined ? {} : { input }) };
}

export interface Emitted {
  readonly event: Event;
  readonly time: number;
}

export interface RunResult {
  readonly ports: Readonly<Record<string, readonly Emitted[]>>;
  readonly accounting: Accounting;
  /** The events of a port, without their times. */
  events(port?: string): readonly Event[];
}

export interface Schedule {
  /** Number of steps in each log message, in turn; what is left over is one more message. Default: all in one. */
  readonly cuts?: readonly number[];
  /** After these messages (counted from 0) the process dies and goes on from its checkpoint. */
  readonly crashesAfter?: readonly number[];
  /** Whether the inputs end after the last step (default true). */
  readonly finish?: boolean;
  /** Events come as columns, where all of a batch have the same fields. */
  readonly asColumns?: boolean;
}

export type OperatorRun = (steps: readonly Step[], schedule?: Schedule) => RunResult;

export class BindProblems extends Error {
  readonly problems: readonly { path: OptionPath; message: string; suggestion?: string }[];

  constructor(problems: readonly { path: OptionPath; message: string; suggestion?: string }[]) {
    super(problems.map(({ path, message }) => `${[path].flat().join('.')}: ${message}`).join('\n'));
    this.name = 'BindProblems';
    this.problems = problems;
  }
}

function valueAt(options: unknown, path: OptionPath): unknown {
  return [path].flat().reduce<unknown>((value, part) => (value as Record<string | number, unknown>)?.[part], options);
}

/** Binds a definition as the loader of topologies does; throws `BindProblems` with everything that is wrong. */
export function bindOperator<O extends z.ZodType>(args: {
  definition: OperatorDefinition<O>;
  options: Readonly<Record<string, unknown>>;
  /** One schema for the input `from`, or one for each input. */
  schema: Schema | Readonly<Record<string, Schema>>;
}): { bound: BoundOperator; inputs: Readonly<Record<string, BoundInput>> } {
  const { definition, schema } = args;
  const options = definition.options.parse(args.options);
  const schemas = ('fields' in schema ? { from: schema } : schema) as Record<string, Schema>;
  const inputs = Object.fromEntries(
    Object.entries(schemas).map(([name, one]) => [name, { from: String(valueAt(options, name) ?? name), schema: one }]),
  );
  const problems: { path: OptionPath; message: string; suggestion?: string }[] = [];
  const check: Checker = {
    expression(path, input, wanted, variables = {}) {
      const compiled = compileExpression(String(valueAt(options, path)), input, { wanted, variables });
      if (compiled.ok) return compiled as never;
      for (const { message, suggestion } of compiled.problems) {
        problems.push({ path, message, ...(suggestion === undefined ? {} : { suggestion }) });
      }
      return { type: { kind: 'json' }, nullable: true, fields: [], evaluate: () => null as never };
    },
    aggregate(path, input) {
      const compiled = compileAggregateExpression(String(valueAt(options, path)), input);
      if (compiled.ok) return compiled;
      for (const { message } of compiled.problems) problems.push({ path, message });
      return { ok: true, call: 'count', type: { kind: 'json' }, nullable: true, fields: [] };
    },
    field(path, input, wanted) {
      const name = String(valueAt(options, path));
      const found = input.fields[name];
      if (!found) problems.push({ path, message: `"${name}" is not a field` });
      else if (wanted && wanted !== 'number' && found.type.kind !== wanted) {
        problems.push({ path, message: `"${name}" is a ${found.type.kind}, not a ${wanted}` });
      }
      return name;
    },
    fields(option, input) {
      const listed = valueAt(options, option);
      return Array.isArray(listed) ? listed.map((_, index) => this.field([option, index], input)) : [];
    },
    problem: (path, message, suggestion) => {
      problems.push({ path, message, ...(suggestion === undefined ? {} : { suggestion }) });
    },
    resolveFile: (path) => path,
  };
  const bound = definition.bind({ options, inputs, check });
  if (problems.length > 0) throw new BindProblems(problems);
  return { bound, inputs };
}

/** Binds once; the result runs any list of steps from an empty state. `answers`: of a look-up's questions, given at the end. */
export function operatorRun<O extends z.ZodType>(
  args: Parameters<typeof bindOperator<O>>[0] & { answers?: readonly unknown[] },
): OperatorRun {
  const { bound, inputs } = bindOperator(args);
  const names = Object.keys(inputs);
  if (!bound.lookup) return (steps, schedule = {}) => runSteps({ bound, names, steps, schedule });
  return (steps, schedule = {}) => {
    const asked: string[] = [];
    let identities = 0;
    const edge: LookupEdge = {
      identity: () => `question ${identities++}`,
      ask: (id) => void asked.push(id),
      redriving: () => undefined,
      leaves() {},
    };
    const asking = lookupOperator(bound, bound.lookup as LookupSpec, edge);
    const answers = () => asked.map((id, index) => ({ id, answer: args.answers?.[index] ?? null, failure: null }));
    return runSteps({ bound: asking, names, steps, schedule, answers });
  };
}

function runSteps(args: {
  bound: BoundOperator;
  names: string[];
  steps: readonly Step[];
  schedule: Schedule;
  answers?: () => readonly Event[];
}): RunResult {
  const { bound, steps, schedule, answers } = args;
  const names = answers ? [...args.names, answersInput] : args.names;
  const collected: Record<string, Emitted[]> = {};
  const { asColumns = false } = schedule;
  const start = () => startProcess({ bound, names, asColumns }, collected);
  let process = start();
  const messages = cutIntoMessages(steps, schedule.cuts ?? []);
  for (const [index, message] of messages.entries()) {
    process.handle(message);
    if (!schedule.crashesAfter?.includes(index)) continue;
    const saved = deserialize(serialize({ runner: process.runner.snapshot(), accounting: process.ledger.accounting }));
    process = start();
    process.runner.restore(saved.runner as RunnerSnapshot);
    process.runner.resume();
    process.ledger.accounting = saved.accounting as Accounting;
  }
  if (answers) process.answer(answers());
  if (schedule.finish !== false) process.finish();
  const { accounting } = process.ledger;
  expect(isBalanced(accounting), `accounting balances: ${JSON.stringify(accounting)}`).toBe(true);
  return { ports: collected, accounting, events: (port = 'out') => (collected[port] ?? []).map(({ event }) => event) };
}

function startProcess(
  { bound, names, asColumns }: { bound: BoundOperator; names: readonly string[]; asColumns: boolean },
  collected: Record<string, Emitted[]>,
) {
  const ledger = new Ledger();
  const runner = new OperatorRunner({ node: 'under-test', bound, inputs: names, ledger });
  const subjects = new Map(names.map((name) => [name, new Subject<Frame>()]));
  for (const [name, subject] of subjects) runner.connect(name, subject);
  for (const port of new Set([...Object.keys(bound.ports), 'late', 'dead'])) {
    runner.output(port).subscribe((frame) => {
      if (frame.kind !== 'batch') return;
      frame.events.forEach((event, index) => {
        collected[port] ??= [];
        collected[port].push({ event, time: frame.times[index] as number });
        ledger.settle(frame.causes[index] as number, outcome.delivered);
      });
    });
  }
  return {
    runner,
    ledger,
    handle(message: readonly Step[]) {
      ledger.open(message.filter((step) => step.kind === 'event').length, 0);
      let cause = 0;
      for (const wave of wavesOf(message)) {
        if (wave.watermark) {
          const { input, time, idle } = wave.watermark;
          for (const name of input === undefined ? names : [input]) {
            subjects.get(name)?.next({ kind: 'watermark', time, idle });
          }
        } else {
          for (const name of names) {
            const mine = wave.events.map((step, index) => ({ step, index })).filter(({ step }) => step.input === name);
            if (mine.length === 0) continue;
            const first = cause;
            const events = mine.map(({ step }) => step.event);
            const times = mine.map(({ step }) => step.time);
            const causes = mine.map(({ index }) => first + index);
            const columns = asColumns ? columnsOf(events) : undefined;
            subjects
              .get(name)
              ?.next(columns ? columnBatch(columns, { times, causes }) : { kind: 'batch', events, times, causes });
          }
          cause += wave.events.length;
        }
        runner.flush();
      }
      ledger.close();
    },
    answer(events: readonly Event[]) {
      ledger.open(0, 0);
      const none = events.map(() => -1);
      subjects.get(answersInput)?.next({ kind: 'batch', events, times: events.map(() => 0), causes: none });
      runner.flush();
      ledger.close();
    },
    finish() {
      ledger.open(0, 0);
      for (const subject of subjects.values()) subject.next(end);
      runner.flush();
      ledger.close();
    },
  };
}

/** Undefined where they have not all the same fields. */
function columnsOf(events: readonly Event[]): EventColumns | undefined {
  const names = Object.keys(events[0] ?? {});
  const areAlike = events.every((event) => {
    const own = Object.keys(event);
    return own.length === names.length && names.every((name) => event[name] !== undefined);
  });
  if (!areAlike) return undefined;
  const columns = names.map((name) => events.map((event) => event[name]));
  return new EventColumns(names, columns, { length: events.length });
}

function cutIntoMessages(steps: readonly Step[], cuts: readonly number[]): Step[][] {
  const messages: Step[][] = [];
  let from = 0;
  for (const length of cuts) {
    if (from >= steps.length) break;
    messages.push(steps.slice(from, from + length));
    from += length;
  }
  if (from < steps.length) messages.push(steps.slice(from));
  return messages;
}

function wavesOf(message: readonly Step[]): { events: EventStep[]; watermark?: WatermarkStep }[] {
  const waves: { events: EventStep[]; watermark?: WatermarkStep }[] = [];
  let events: EventStep[] = [];
  for (const step of message) {
    if (step.kind === 'event') {
      events.push(step);
      continue;
    }
    if (events.length > 0) waves.push({ events });
    events = [];
    waves.push({ events: [], watermark: step });
  }
  if (events.length > 0) waves.push({ events });
  return waves;
}

/** Any cut of the input into log messages, and a crash after any of them, gives the same events in the same order, whether they come as objects or as columns. */
export function expectSameForAnyCut(
  run: OperatorRun,
  steps: fc.Arbitrary<readonly Step[]>,
  options: { runs?: number } = {},
): void {
  fc.assert(
    fc.property(
      steps,
      fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 60 }),
      fc.array(fc.nat({ max: 30 }), { maxLength: 4 }),
      fc.boolean(),
      (list, cuts, crashesAfter, asColumns) => {
        const whole = run(list);
        const cut = run(list, { cuts, crashesAfter, asColumns });
        expect(cut.ports).toEqual(whole.ports);
        expect(cut.accounting).toEqual(whole.accounting);
      },
    ),
    { numRuns: options.runs ?? 150 },
  );
}

/** Events at times that mostly rise, with watermarks that never promise too much more than `disorderMs` behind them. */
export function stepsOf(
  event: fc.Arbitrary<Event>,
  options: { stepMs?: number; disorderMs?: number; input?: string } = {},
) {
  const { stepMs = 10_000, disorderMs = 30_000, input = 'from' } = options;
  return fc
    .array(
      fc.record({
        event,
        gapMs: fc.nat({ max: stepMs }),
        behindMs: fc.nat({ max: disorderMs * 2 }),
        mark: fc.boolean(),
      }),
      {
        maxLength: 60,
      },
    )
    .map((draws) => {
      const steps: Step[] = [];
      let now = 1_000_000;
      for (const { event: one, gapMs, behindMs, mark } of draws) {
        now += gapMs;
        steps.push(at(now - behindMs, one, input));
        if (mark) steps.push(watermark(now - disorderMs, { input }));
      }
      return steps as readonly Step[];
    });
}
