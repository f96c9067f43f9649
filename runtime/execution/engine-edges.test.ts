/** Where a running topology meets the outside, on a log in memory: drain, sinks, look-ups, what leaves a stage. */
import { describe, expect, it } from 'vitest';
import { faultPlan } from '../bus/memory/faults.ts';
import { noCrashPoints } from '../faults.ts';
import { limits } from '../limits.ts';
import { field } from '../stream/schema.ts';
import { type Lab, openLab } from '../testing/engine-lab.ts';
import { append, numbering, numbersOf, send } from './engine.fixture.ts';
import { decodeOutputRuns } from './log-frame.ts';
import { openOutputPublisher } from './output-publisher.ts';
import { type OutputRun, rowCount } from './output-run.ts';

describe('drain', () => {
  it('answers what it owes, writes everything and saves it', async () => {
    const lab = openLab({ topology: numbering });
    const first = await lab.start();
    const owed = append(first, ['a', 'b']);
    await lab.drive(first.engine?.drain() as Promise<void>);
    await owed;
    expect(numbersOf(lab)).toEqual(['a=1', 'b=2']);
    expect(first.engine?.state).toBe('stopped');
    const second = await lab.start();
    expect(second.engine?.stage.restoredAt).toBe(1);
    expect(second.engine?.stage.publishers.get('rows')?.repeated).toBe(0);
  });

  it('says what is written, so that the next start sends nothing again; after a crash the last batch comes again', async () => {
    const lab = openLab({ topology: numbering });
    const first = await lab.start();
    await send(lab, first, ['a', 'b']);
    await lab.drive(first.engine?.drain() as Promise<void>);
    const second = await lab.start();
    await send(lab, second, ['c']);
    expect(lab.sink('rows')).toMatchObject({ repeated: 0, rows: [{}, {}, {}] });
    expect(second.engine?.sinks.get('rows')?.counts).toMatchObject({ repeated: 0, rows: 1 });
    second.kill();
    const third = await lab.start();
    await lab.settle(third);
    expect(lab.sink('rows').repeated).toBe(1);
    expect(third.engine?.sinks.get('rows')?.counts.repeated).toBe(1);
    expect(numbersOf(lab)).toEqual(['a=1', 'b=2', 'c=3']);
  });

  it('of a sink that does not get on ends at the deadline (MACH3206); the rows come after the next start', async () => {
    let away = true;
    const lab = openLab({
      topology: numbering,
      edges: {
        async write() {
          if (away) throw new Error('the store is away');
          return [];
        },
      },
    });
    const first = await lab.start();
    await lab.drive(append(first, ['a']));
    const drained = first.engine?.drain(50) as Promise<void>;
    await expect(lab.drive(drained)).rejects.toMatchObject({ code: 'MACH3206' });
    expect(lab.events('rows')).toEqual([]);
    away = false;
    const second = await lab.start();
    await lab.settle(second);
    expect(second.engine?.sinks.get('rows')?.counts.repeated).toBe(1);
    expect(numbersOf(lab)).toEqual(['a=1']);
  });
});

describe('sink', () => {
  it('tries again until the store is back, with one token and growing pauses', async () => {
    const tokens: string[] = [];
    const lab = openLab({
      topology: numbering,
      edges: {
        async write(_sink, _rows, token) {
          tokens.push(token);
          if (tokens.length < 6) throw new Error('the store is away');
          return [];
        },
      },
    });
    const process = await lab.start();
    const before = lab.clock.now();
    await send(lab, process, ['a']);
    expect(new Set(tokens).size).toBe(1);
    expect(process.engine?.sinks.get('rows')?.counts).toMatchObject({ rows: 1, retries: 5 });
    // Half of 100 + 200 + 400 + 800 + 1600 ms at least.
    expect(lab.clock.now() - before).toBeGreaterThanOrEqual(1_550);
    expect(process.engine?.sinks.get('rows')?.problem).toBeNull();
  });

  it('puts rows that can never be written with the dead letters, and goes on', async () => {
    const lab = openLab({
      topology: numbering,
      edges: {
        write: async (_sink, rows) =>
          rows.filter(({ event }) => event.id === 'b').map((row) => ({ row, code: 'MACH3102', reason: 'too large' })),
      },
    });
    const process = await lab.start();
    await send(lab, process, ['a', 'b', 'c']);
    expect(process.engine?.sinks.get('rows')?.counts).toMatchObject({ rows: 2, dead: 1 });
    // It had come to its sink: the accounts are closed by then.
    expect(process.engine?.stage.machine.accounting).toMatchObject({ in: 3, delivered: 3, dead_lettered: 0 });
    expect(lab.storage.streams.get('mach-lab-dead')?.lastSequence).toBe(1);
  });
});

describe('look-ups', () => {
  const asking = `
version: 1
name: lab
sources: { calls: { pulses: {}, idle: 30d } }
operators: { asked: { ask: { from: calls, order: ORDER, concurrency: 2, timeout: 1s } } }
sinks: { rows: { collect: { from: asked } } }
`;
  const answersOf = (lab: Lab) => lab.events('rows').map(({ id, answer, failure }) => `${id}: ${answer ?? failure}`);

  it.each(['kept', 'free'])('answer in the order that is asked for: %s', async (order) => {
    const waits: Record<string, number> = { a: 300, b: 100, c: 200 };
    const lab = openLab({
      topology: asking.replace('ORDER', order),
      edges: {
        async answer({ id }) {
          await lab.clock.sleep(waits[String(id)] ?? 0);
          return `of ${id}`;
        },
      },
    });
    const process = await lab.start();
    await lab.drive(append(process, ['a', 'b', 'c']));
    await lab.drive(lab.clock.sleep(2_000), 10);
    await lab.settle(process);
    // Two at once: b is done at 100, c at 300 as is a.
    const all = ['a: of a', 'b: of b', 'c: of c'];
    if (order === 'kept') expect(answersOf(lab)).toEqual(all);
    else {
      expect(answersOf(lab)[0]).toBe('b: of b');
      expect(answersOf(lab).sort()).toEqual(all);
    }
  });

  it('say why there is no answer: failed, or none within its time', async () => {
    const lab = openLab({
      topology: asking.replace('ORDER', 'kept'),
      edges: {
        async answer({ id }) {
          if (id === 'a') throw new Error('nobody there');
          return new Promise(() => undefined);
        },
      },
    });
    const process = await lab.start();
    await lab.drive(append(process, ['a', 'b']));
    await lab.drive(lab.clock.sleep(3_000));
    await lab.settle(process);
    expect(answersOf(lab)).toEqual(['a: nobody there', 'b: no answer within 1000 ms']);
  });

  it('are asked again after a crash, and the first answer in the log is the one that counts', async () => {
    let asked = 0;
    const lab = openLab({
      topology: asking.replace('ORDER', 'kept'),
      edges: {
        async answer({ id }) {
          asked++;
          if (id === 'slow' && asked < 3) return new Promise(() => undefined);
          return `answer ${asked}`;
        },
      },
    });
    const first = await lab.start();
    await lab.drive(append(first, ['quick', 'slow']));
    await lab.drive(lab.clock.sleep(200));
    first.kill();
    const second = await lab.start();
    await lab.drive(lab.clock.sleep(2_000));
    await lab.settle(second);
    expect(answersOf(lab)).toHaveLength(2);
    expect(answersOf(lab)[0]).toBe('quick: answer 1');
    expect(answersOf(lab)[1]).toMatch(/^slow: answer \d$/);
  });
});

const rows = (sequence: number, index: number, count: number): OutputRun => ({
  events: Array.from({ length: count }, () => ({})),
  times: Array.from({ length: count }, () => 0),
  sequence,
  index,
  acceptedAt: 0,
});

/** What publishers of a test have in common. */
function publishing({ clock }: Lab) {
  const onFailure: (error: unknown) => void = () => undefined;
  return { beginning: 0, subject: 'out.rows', schema: { fields: {} }, clock, crashPoints: noCrashPoints, onFailure };
}

describe('output publisher', () => {
  it('drops what the log has, and stops for good at the fence', async () => {
    const lab = openLab({ topology: numbering, faults: faultPlan(1, {}) });
    const process = await lab.start();
    const stream = await process.log.stream({ name: 'out', subjects: ['out.>'], durability: 'broker' });
    const failures: unknown[] = [];
    const open = () => openOutputPublisher({ ...publishing(lab), stream, onFailure: (error) => failures.push(error) });
    const first = await open();
    for (const run of [rows(1, 0, 2), rows(3, 0, 1)]) first.add(run);
    await lab.drive(first.flushed());
    expect(first.published).toBe(3);

    const second = await open();
    for (const run of [rows(1, 0, 2), rows(3, 0, 2)]) second.add(run);
    await lab.drive(second.flushed());
    expect(second).toMatchObject({ repeated: 3, published: 1 });

    first.add(rows(4, 0, 1));
    await expect(lab.drive(first.flushed())).rejects.toMatchObject({ code: 'MACH3001' });
    first.add(rows(5, 0, 1));
    await expect(lab.drive(first.flushed())).rejects.toMatchObject({ code: 'MACH3001' });
    expect(failures).toHaveLength(1);
    expect((await stream.state()).lastSequence).toBe(2);
  });

  it('cuts what it gives by what the server takes', async () => {
    const lab = openLab({ topology: numbering });
    const process = await lab.start();
    const stream = await process.log.stream({ name: 'out', subjects: ['out.>'], durability: 'broker' });
    const messageBytesMax = 1_000;
    const lengths: number[] = [];
    const append: typeof stream.append = (subject, payload, options) => {
      lengths.push(payload.length);
      return stream.append(subject, payload, options);
    };
    const publisher = await openOutputPublisher({
      ...publishing(lab),
      stream: { ...stream, messageBytesMax, append },
      schema: { fields: { text: field.string() } },
    });
    const texts = Array.from({ length: 20 }, (_, at) => ({ text: String(at).repeat(100) }));
    publisher.add({ ...rows(1, 0, texts.length), events: texts });
    await lab.drive(publisher.flushed());
    expect(publisher.published).toBe(texts.length);
    expect(lengths.filter((length) => length > messageBytesMax)).toEqual([]);
  });

  it('cuts very many rows into messages, and copies none of them more than once', async () => {
    const lab = openLab({ topology: numbering });
    const process = await lab.start();
    const stream = await process.log.stream({ name: 'out', subjects: ['out.>'], durability: 'broker' });
    const publisher = await openOutputPublisher({ ...publishing(lab), stream });
    let copied = 0;
    const counted = (times: number[]): number[] => {
      const slice = (from?: number, to?: number) => {
        const part = times.slice(from, to);
        copied += part.length;
        return counted(part);
      };
      return Object.defineProperty([...times], 'slice', { value: slice });
    };
    const count = limits.outputFlushEventsMax * 5;
    publisher.add(rows(1, 0, 3));
    publisher.add({ ...rows(2, 0, count), times: counted(Array.from({ length: count }, (_, at) => at)) });
    await lab.drive(publisher.flushed());
    expect(publisher.published).toBe(count + 3);
    expect(copied).toBe(count);
    const times: number[] = [];
    const { lastSequence } = await stream.state();
    for (let sequence = 1; sequence <= lastSequence; sequence++) {
      const message = await stream.get(sequence);
      const runs = decodeOutputRuns(message?.payload as Uint8Array, { fields: {} });
      expect(rowCount(runs)).toBeLessThanOrEqual(limits.outputFlushEventsMax);
      times.push(...runs.flatMap((run) => run.times));
    }
    expect(times).toEqual([0, 0, 0, ...Array.from({ length: count }, (_, at) => at)]);
  });

  it('says when all but so many rows are out', async () => {
    const lab = openLab({ topology: numbering });
    const process = await lab.start();
    const stream = await process.log.stream({ name: 'out', subjects: ['out.>'], durability: 'broker' });
    const held: (() => void)[] = [];
    const append: typeof stream.append = async (...given) => {
      await new Promise<void>((resolve) => held.push(resolve));
      return stream.append(...given);
    };
    const publisher = await openOutputPublisher({ ...publishing(lab), stream: { ...stream, append } });
    const message = limits.outputFlushEventsMax;
    publisher.add(rows(1, 0, 3 * message));
    const published: number[] = [];
    const flushed = [2, 1, 0].map(async (messages) => {
      await publisher.flushed(messages * message);
      published.push(publisher.published);
    });
    for (const end of flushed) {
      while (held.length === 0) await lab.drive(lab.clock.sleep(1));
      held.shift()?.();
      await lab.drive(end);
    }
    expect(published).toEqual([message, 2 * message, 3 * message]);
  });
});
