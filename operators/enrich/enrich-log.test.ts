/** `enrich` in a stage over a log: questions at the edge, answers in the log, crashes between. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deserialize, serialize } from 'node:v8';
import { afterEach, describe, expect, it } from 'vitest';
import { type LogStream, type MemoryStorage, memoryLog, memoryStorage } from '../../runtime/bus/index.ts';
import { systemClock } from '../../runtime/clock.ts';
import {
  decodeInputFrame,
  encodeAnswersFrame,
  encodeSourceFrame,
  type OutputRow,
} from '../../runtime/execution/log-frame.ts';
import { type LookupAsker, startLookupAsker } from '../../runtime/execution/lookup-asker.ts';
import { rowByRow } from '../../runtime/execution/output-run.ts';
import { StageMachine, type StageSnapshot } from '../../runtime/execution/stage-machine.ts';
import { deadLetterOutput } from '../../runtime/execution/stage-outputs.ts';
import type { Schema } from '../../runtime/stream/index.ts';
import { bindOperator } from '../../runtime/testing/operator-harness.ts';
import type { BoundTopology } from '../../runtime/topology/bound.ts';
import { enrich } from './enrich.ts';

const schema: Schema = { fields: { hospital: { type: { kind: 'string' } } } };
const clock = systemClock();
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A server that holds its answers until it is told to give them. */
async function holdingServer() {
  const held = new Map<string, ServerResponse[]>();
  const asked: string[] = [];
  let underWay = 0;
  let underWayMax = 0;
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    underWay++;
    underWayMax = Math.max(underWayMax, underWay);
    response.on('close', () => underWay--);
    held.set(path, [...(held.get(path) ?? []), response]);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    underWayMax: () => underWayMax,
    /** Answers every question for a path that has come, and waits until there is one. */
    async answer(path: string, beds: number, status = 200): Promise<void> {
      await expect.poll(() => held.get(path)?.length ?? 0, { timeout: 10_000 }).toBeGreaterThan(0);
      for (const response of held.get(path) ?? []) response.writeHead(status).end(JSON.stringify({ beds }));
      held.delete(path);
    },
  };
}

function topologyOf(options: object): BoundTopology {
  const all = { from: 'calls', set: { beds: 'int' }, ...options };
  const { bound } = bindOperator({ definition: enrich, options: all, schema });
  const from = { node: 'calls', port: 'out' };
  return {
    sources: [{ id: 'calls', bound: { ports: { out: schema } }, disorderMs: 0 }],
    operators: [{ id: 'beds', bound, inputs: [{ input: 'from', from, schema }] }],
    sinks: [{ id: 'rows', inputs: [{ input: 'from', from: { node: 'beds', port: 'out' }, schema: bound.ports.out }] }],
  } as unknown as BoundTopology;
}

interface Stage {
  readonly machine: StageMachine;
  readonly rows: OutputRow[];
  readonly deadLetters: OutputRow[];
  /** Handled up to this sequence, at least. */
  reached(sequence: number): Promise<void>;
  /** Dies with all that it waits for; what it saved is what its checkpoint says. */
  crash(): StageSnapshot;
}

const spec = { name: 'in', subjects: ['in.>'], durability: 'disk' } as const;

/** One process: its own client of the log, a machine, and the edge that asks. `until`: it handles nothing beyond. */
async function startStage(args: {
  storage: MemoryStorage;
  options: object;
  from?: StageSnapshot;
  asks?: boolean;
  until?: number;
}): Promise<Stage> {
  const { storage, options, from, asks = true, until = Number.POSITIVE_INFINITY } = args;
  const log = memoryLog({ clock, storage });
  const stream = await log.stream(spec);
  const rows: OutputRow[] = [];
  const deadLetters: OutputRow[] = [];
  const failures: unknown[] = [];
  const asker: LookupAsker = startLookupAsker({
    stream,
    subjectOf: (node) => `in.${node}`,
    clock,
    onFailure: (error) => failures.push(error),
  });
  const machine = new StageMachine(topologyOf(options), {
    rows: rowByRow((output, row) => (output === deadLetterOutput ? deadLetters : rows).push(row)),
    question: (question) => asks && asker.ask(question),
  });
  if (from) machine.restore(deserialize(serialize(from)) as StageSnapshot);
  const stop = new AbortController();
  const reading = (async () => {
    for await (const message of stream.read({ fromSequence: machine.sequence + 1, signal: stop.signal })) {
      if (stop.signal.aborted || message.sequence > until) return;
      const node = message.subject.split('.')[1] ?? '';
      machine.handle(message.sequence, node, decodeInputFrame(message.payload, schema));
    }
  })();
  let crashed = false;
  closing.push(async () => {
    // Nothing that a dead process waits for ever comes.
    if (crashed) return;
    stop.abort();
    await reading;
    await asker.close();
    await log.close();
    expect(failures).toEqual([]);
  });
  return {
    machine,
    rows,
    deadLetters,
    reached: (sequence) => expect.poll(() => machine.sequence, { timeout: 10_000 }).toBeGreaterThanOrEqual(sequence),
    crash() {
      const saved = deserialize(serialize(machine.snapshot())) as StageSnapshot;
      crashed = true;
      stop.abort();
      log.crash();
      // The edge goes with the process: what it would still hear reaches nobody.
      void asker.close();
      return saved;
    },
  };
}

async function openLog(): Promise<{ storage: MemoryStorage; stream: LogStream }> {
  const storage = memoryStorage();
  const log = memoryLog({ clock, storage });
  closing.push(() => log.close());
  return { storage, stream: await log.stream(spec) };
}

function send(stream: LogStream, hospitals: readonly string[], time: number) {
  const frame = encodeSourceFrame(schema, {
    acceptedAt: 0,
    segments: [{ origin: 'centre', events: hospitals.length }],
    deadLetters: [],
    events: hospitals.map((hospital) => ({ hospital })),
    times: hospitals.map((_, index) => time + index),
    raws: hospitals.map(() => null),
  });
  return stream.append('in.calls', frame);
}

const eventsOf = (rows: readonly OutputRow[]) => rows.map(({ event, time }) => [event.hospital, event.beds, time]);

describe('answers in the log', () => {
  it.each(['kept', 'free'])('order %s: answers that come in another order', async (order) => {
    const server = await holdingServer();
    const { storage, stream } = await openLog();
    const stage = await startStage({ storage, options: { url: `${server.url}/{hospital}`, order } });
    await send(stream, ['H1', 'H2', 'H3'], 10_000);
    await server.answer('/H3', 3);
    await stage.reached(2);
    await server.answer('/H1', 1);
    await stage.reached(3);
    await server.answer('/H2', 2);
    await stage.reached(4);
    const [first, second, third] = [
      ['H1', 1, 10_000],
      ['H2', 2, 10_001],
      ['H3', 3, 10_002],
    ];
    expect(eventsOf(stage.rows)).toEqual(order === 'kept' ? [first, second, third] : [third, first, second]);
    expect(stage.machine.accounting).toMatchObject({ in: 3, delivered: 3 });
  });

  it('asks no more at once than it may', async () => {
    const server = await holdingServer();
    const { storage, stream } = await openLog();
    const stage = await startStage({ storage, options: { url: `${server.url}/{hospital}`, concurrency: 2 } });
    await send(stream, ['H1', 'H2', 'H3', 'H4', 'H5'], 0);
    for (const [index, path] of ['/H1', '/H2', '/H3', '/H4', '/H5'].entries()) {
      await server.answer(path, index);
      await stage.reached(index + 2);
    }
    expect(server.underWayMax()).toBeLessThanOrEqual(2);
    expect(stage.rows).toHaveLength(5);
  });

  it('holds the watermark back for events that wait', async () => {
    const server = await holdingServer();
    const { storage, stream } = await openLog();
    const stage = await startStage({ storage, options: { url: `${server.url}/{hospital}` } });
    await send(stream, ['H1'], 10_000);
    await send(stream, ['H2'], 90_000);
    await stage.reached(2);
    expect(stage.machine.sourceWatermark('calls').time).toBe(90_000);
    expect(stage.machine.runner('rows')?.watermark).toBeLessThan(10_000);
    await server.answer('/H1', 1);
    await server.answer('/H2', 2);
    await stage.reached(4);
    expect(stage.machine.runner('rows')?.watermark).toBe(90_000);
  });
});

describe('crashes', () => {
  it('asks again what had no answer when the process died', async () => {
    const server = await holdingServer();
    const { storage, stream } = await openLog();
    const options = { url: `${server.url}/{hospital}` };
    const first = await startStage({ storage, options });
    await send(stream, ['H1', 'H2'], 10_000);
    await server.answer('/H1', 1);
    await first.reached(2);
    expect(eventsOf(first.rows)).toEqual([['H1', 1, 10_000]]);
    await expect.poll(() => server.asked, { timeout: 10_000 }).toContain('/H2');
    const saved = first.crash();
    const second = await startStage({ storage, options, from: saved });
    await expect.poll(() => server.asked.filter((path) => path === '/H2').length, { timeout: 10_000 }).toBe(2);
    await server.answer('/H2', 2);
    await second.reached(3);
    expect(eventsOf(second.rows)).toEqual([['H2', 2, 10_001]]);
    expect(server.asked.filter((path) => path === '/H1')).toHaveLength(1);
    expect(second.machine.accounting).toMatchObject({ in: 2, delivered: 2 });
  });

  it('takes the first of two answers, and no event twice', async () => {
    const server = await holdingServer();
    const { storage, stream } = await openLog();
    const options = { url: `${server.url}/{hospital}` };
    const first = await startStage({ storage, options, until: 1 });
    await send(stream, ['H1'], 10_000);
    await first.reached(1);
    await server.answer('/H1', 1);
    await expect.poll(async () => (await stream.state()).lastSequence, { timeout: 10_000 }).toBe(2);
    // It dies with the answer in the log, before it has read it.
    const saved = first.crash();
    const [id] = [...(saved.nodes.get('beds')?.states.get('pending')?.keys ?? [])];
    const again = encodeAnswersFrame({ answers: [{ id: String(id), answer: { beds: 99 }, failure: null }] });
    await stream.append('in.beds', again);
    const second = await startStage({ storage, options, from: saved });
    await second.reached(3);
    expect(eventsOf(second.rows)).toEqual([['H1', 1, 10_000]]);
  });

  it('gives the same rows in the same places when all of it is replayed, without asking', async () => {
    const server = await holdingServer();
    const { storage, stream } = await openLog();
    const options = { url: `${server.url}/{hospital}`, order: 'free' };
    const stage = await startStage({ storage, options });
    await send(stream, ['H1', 'H2', 'H3'], 10_000);
    for (const [index, path] of ['/H2', '/H3', '/H1'].entries()) {
      await server.answer(path, index);
      await stage.reached(index + 2);
    }
    const replay = await startStage({ storage, options, asks: false });
    await replay.reached(4);
    expect(replay.rows).toEqual(stage.rows);
    expect(server.asked).toHaveLength(3);
  });
});

describe('without an answer', () => {
  it('goes on with null and the reason', async () => {
    const server = await holdingServer();
    const { storage, stream } = await openLog();
    const options = { url: `${server.url}/{hospital}`, failure: 'why_not', retries: 0 };
    const stage = await startStage({ storage, options });
    await send(stream, ['H1', 'H2'], 10_000);
    await server.answer('/H1', 0, 404);
    await server.answer('/H2', 0, 500);
    await stage.reached(3);
    expect(stage.rows.map(({ event }) => event)).toEqual([
      { hospital: 'H1', beds: null, why_not: 'not known there' },
      { hospital: 'H2', beds: null, why_not: 'status 500' },
    ]);
  });

  it('makes a dead letter of the event, with its own time', async () => {
    const server = await holdingServer();
    const { storage, stream } = await openLog();
    const options = { url: `${server.url}/{hospital}`, missing: 'dead', retries: 0 };
    const stage = await startStage({ storage, options });
    await send(stream, ['H1', 'H2'], 10_000);
    await server.answer('/H1', 0, 500);
    await server.answer('/H2', 2);
    await stage.reached(3);
    expect(eventsOf(stage.rows)).toEqual([['H2', 2, 10_001]]);
    expect(stage.deadLetters).toMatchObject([
      { time: 10_000, event: { node: 'beds', code: 'MACH1860', reason: expect.stringContaining('status 500') } },
    ]);
  });
});
