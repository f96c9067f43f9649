/** From what is written in a file of tests to steps that run; every name and value is checked here. */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { didYouMean } from '../../did-you-mean.ts';
import { messageOf } from '../../errors.ts';
import { parseDuration } from '../../stream/options.ts';
import type { Event, Schema } from '../../stream/schema.ts';
import type { AppendRequest, DecodeResult } from '../../stream/source-definition.ts';
import type { BoundSourceNode, BoundTopology } from '../../topology/bound.ts';
import type { FilePlaces, Path } from '../../topology/places.ts';
import { bindExpectation } from './bind-expectation.ts';
import { bindFault } from './bind-fault.ts';
import { bindMocks } from './bind-mocks.ts';
import type { BoundStep, BoundTest } from './bound-test.ts';
import type { RawEvent, RawSend, RawStep, RawTestFile } from './format.ts';
import { topologyTestLimits } from './limits.ts';
import type { ReportTestProblem } from './load.ts';
import { eventOf, parseTime, refusedValue, unknownField, type ValueContext } from './values.ts';

export interface BindContext {
  readonly topology: BoundTopology;
  /** Of the file of tests, absolute. */
  readonly folder: string;
  readonly places: FilePlaces;
  readonly originFields: ReadonlyMap<string, string>;
  report: ReportTestProblem;
}

/** When a test does not say. */
const defaultStart = '2026-01-01T00:00:00Z';

export async function bindTests(
  args: Omit<BindContext, 'originFields'> & { readonly raw: RawTestFile },
): Promise<BoundTest[]> {
  const context: BindContext = { ...args, originFields: new Map(Object.entries(args.raw.origins ?? {})) };
  checkOrigins(context);
  const tests: BoundTest[] = [];
  for (const [index, test] of args.raw.tests.entries()) {
    if (!test) continue;
    const path: Path = ['tests', index];
    const start = test.start ?? defaultStart;
    const startMs = /^[+-]|^now$/.test(start) ? undefined : parseTime(start, 0);
    if (startMs === undefined) reportTime(context, [...path, 'start'], start);
    const steps: BoundStep[] = [];
    for (const [at, step] of test.steps.entries()) {
      const bound = step && (await bindStep(step, [...path, 'steps', at], startMs ?? 0, context));
      if (bound) steps.push(bound);
    }
    const common = bindMocks(args.raw.mocks, ['mocks'], startMs ?? 0, context);
    const own = bindMocks(test.mocks, [...path, 'mocks'], startMs ?? 0, context);
    tests.push({
      name: test.name,
      place: args.places.find([...path, 'name']),
      startMs: startMs ?? 0,
      mocks: new Map([...common, ...own]),
      partitions: test.partitions ?? args.raw.partitions ?? 1,
      steps,
    });
  }
  return tests;
}

function checkOrigins(context: BindContext): void {
  for (const [source, field] of context.originFields) {
    const node = findSource(context, source, ['origins', source], 'key');
    const schema = node?.ports.out;
    if (!schema || field in schema.fields) continue;
    const problem = unknownField(field, schema, source);
    context.report({ ...problem, path: ['origins', source], at: 'value' });
  }
}

async function bindStep(
  step: RawStep,
  path: Path,
  startMs: number,
  context: BindContext,
): Promise<BoundStep | undefined> {
  const kinds = Object.keys(step);
  const place = context.places.find(path);
  if (kinds.length !== 1) {
    const problem = `a step has one of send, advance, crash, fault, expect; this one has ${kinds.join(' and ') || 'none'}`;
    context.report({ code: 'MACH1501', path, data: { problem } });
    return undefined;
  }
  if (step.send) return bindSend(step.send, [...path, 'send'], startMs, context);
  if (step.advance !== undefined) {
    const byMs = durationOf(step.advance, [...path, 'advance'], context, topologyTestLimits.advanceMaxMs);
    return byMs === undefined ? undefined : { kind: 'advance', place, byMs };
  }
  if (step.crash) return { kind: 'crash', place };
  if (step.fault) return bindFault(step.fault, [...path, 'fault'], place, context);
  return step.expect && bindExpectation(step.expect, [...path, 'expect'], startMs, context);
}

async function bindSend(
  send: RawSend,
  path: Path,
  startMs: number,
  context: BindContext,
): Promise<BoundStep | undefined> {
  const source = findSource(context, send.source, [...path, 'source'], 'value');
  if (!source) return undefined;
  const forms = (['event', 'events', 'text', 'file'] as const).filter((form) => send[form] !== undefined);
  if (forms.length !== 1) {
    const problem = `send has one of event, events, text, file; this one has ${forms.join(' and ') || 'none'}`;
    context.report({ code: 'MACH1501', path, data: { problem } });
    return undefined;
  }
  const everyMs =
    send.every === undefined ? 0 : durationOf(send.every, [...path, 'every'], context, topologyTestLimits.advanceMaxMs);
  const requests =
    send.text !== undefined || send.file !== undefined
      ? await decodedRequests(send, path, source, context)
      : typedRequests(send, path, startMs, source, context);
  if (!requests || everyMs === undefined) return undefined;
  const { repeat = 1 } = send;
  return { kind: 'send', place: context.places.find(path), source: source.id, repeat, everyMs, requests };
}

type Requests = (now: number, repetition: number) => AppendRequest[];

function typedRequests(
  send: RawSend,
  path: Path,
  startMs: number,
  source: BoundSourceNode,
  context: BindContext,
): Requests | undefined {
  const schema = source.ports.out as Schema;
  const raws: readonly (readonly [RawEvent, Path])[] = send.event
    ? [[send.event, [...path, 'event']]]
    : (send.events ?? []).map((event, index) => [event, [...path, 'events', index]] as const);
  if (send.at !== undefined && parseTime(send.at, startMs) === undefined) {
    reportTime(context, [...path, 'at'], send.at);
    return undefined;
  }
  let wrong = false;
  const build = (now: number, repetition: number, check: boolean) => {
    const time = send.at === undefined ? now : (parseTime(send.at, now) ?? now);
    return raws.map(([raw, where]): AppendRequest => {
      const report: ValueContext['report'] = (problem) => {
        wrong = true;
        if (check) context.report({ ...problem, path: [...where, ...problem.path] });
      };
      const made = eventOf(raw, schema, { now, repetition, node: source.id, time, report });
      for (const { field, problem } of source.bound.refused?.(made.event) ?? [])
        report(refusedValue(field, problem, made.event));
      return { origin: originOf(send, source, made.event, context), events: [made] };
    });
  };
  build(startMs, 1, true);
  return wrong ? undefined : (now, repetition) => build(now, repetition, false);
}

/** What the source's own decoder makes of a text or a file. */
async function decodedRequests(
  send: RawSend,
  path: Path,
  source: BoundSourceNode,
  context: BindContext,
): Promise<Requests | undefined> {
  const form = send.text === undefined ? 'file' : 'text';
  const fail = (reason: string) => {
    context.report({ code: 'MACH1511', path: [...path, form], data: { source: source.id, reason } });
    return undefined;
  };
  if (!source.bound.decode) return fail(`${source.definition.name} cannot decode texts; send event or events`);
  let decoded: DecodeResult;
  try {
    const name = send.file === undefined ? 'text' : resolve(context.folder, send.file);
    if (send.file !== undefined && statSync(name).size > topologyTestLimits.sentFileBytesMax)
      return fail(`the file is larger than topologyTestLimits.sentFileBytesMax`);
    const content = send.text === undefined ? readFileSync(name) : new TextEncoder().encode(send.text);
    decoded = await source.bound.decode(content, name);
  } catch (error) {
    return fail(messageOf(error));
  }
  const requests: AppendRequest[] = decoded.events.map((one) => ({
    origin: originOf(send, source, one.event, context),
    events: [one],
  }));
  if (decoded.deadLetters.length > 0)
    requests.push({ origin: send.origin ?? source.id, events: [], deadLetters: decoded.deadLetters });
  return () => requests;
}

function originOf(send: RawSend, source: BoundSourceNode, event: Event, { originFields }: BindContext): string {
  if (send.origin !== undefined) return send.origin;
  const field = originFields.get(source.id);
  return field === undefined ? source.id : String(event[field]);
}

function findSource(
  { topology, report }: BindContext,
  name: string,
  path: Path,
  at: 'key' | 'value',
): BoundSourceNode | undefined {
  const source = topology.sources.find(({ id }) => id === name);
  if (source) return source;
  const ids = topology.sources.map(({ id }) => id);
  report({ code: 'MACH1504', path, at, data: { name, topology: topology.file }, suggestion: nearest(name, ids) });
  return undefined;
}

export function checkNode({ topology, report }: BindContext, name: string, path: Path): void {
  const ids = [...topology.sources, ...topology.operators, ...topology.sinks].map(({ id }) => id);
  if (ids.includes(name)) return;
  report({ code: 'MACH1510', path, data: { name, topology: topology.file }, suggestion: nearest(name, ids) });
}

/** Sources keep no counts in the log's order. */
export function checkCounted({ topology, report }: BindContext, name: string, path: Path): void {
  const ids = [...topology.operators, ...topology.sinks].map(({ id }) => id);
  if (ids.includes(name)) return;
  report({ code: 'MACH1510', path, data: { name, topology: topology.file }, suggestion: nearest(name, ids) });
}

export function nearest(name: string, candidates: readonly string[]): string {
  const near = didYouMean(name, candidates);
  return near ? `did you mean ${near}?` : `known: ${candidates.join(', ')}`;
}

export function reportTime({ report }: BindContext, path: Path, text: string): void {
  const what = String(path.at(-1));
  const problem = `"${text}" is not a time`;
  const suggestion =
    what === 'start' ? 'ISO 8601 with its zone: 2026-03-02T07:00:00+07:00' : 'ISO 8601, now, +10s, -5m';
  report({ code: 'MACH1509', path, data: { what, problem }, suggestion });
}

export function durationOf(
  written: string | number,
  path: Path,
  { report }: BindContext,
  maxMs: number,
): number | undefined {
  const what = String(path.at(-1));
  const text = String(written);
  const value = parseDuration(text);
  if (value !== undefined && value <= maxMs) return value;
  const problem =
    value === undefined
      ? `"${text}" is not a duration`
      : `"${text}" is longer than topologyTestLimits.advanceMaxMs (${maxMs / 86_400_000}d)`;
  const near = typeof written === 'number' ? `did you mean ${text}s?` : 'a number and a unit: 30s, 5m, 1h30m';
  report({ code: 'MACH1508', path, data: { what, problem }, suggestion: near });
  return undefined;
}
