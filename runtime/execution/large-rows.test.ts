/** Rows that no message of the log could hold: they are dead letters, and everything else goes on, the same after a restart. */
import { describe, expect, it } from 'vitest';
import type { LogStream } from '../bus/log.ts';
import { memoryLog } from '../bus/memory/log.ts';
import { limits } from '../limits.ts';
import { engineStatus } from '../observe/status.ts';
import { isBalanced, mergeAccounting } from '../stream/ledger.ts';
import { rowBytes } from '../stream/row-bytes.ts';
import { field } from '../stream/schema.ts';
import { type Lab, type LabProcess, openLab } from '../testing/engine-lab.ts';
import { pulseSchema } from '../testing/small-catalogue.ts';
import { stageName, topologyNames } from '../topology/names.ts';
import { readDeadLetterBook } from './dead-letters/book.ts';
import { redriveDeadLetters } from './dead-letters/redrive.ts';

const names = topologyNames('lab');

/** As many characters as a pulse has for its value are put beside it. */
const swelling = `version: 1
name: lab
sources: { beats: { pulses: {}, idle: 30d } }
operators: { long: { swells: { from: beats } } }
sinks:
  rows: { collect: { from: long } }
`;

const tooLarge = limits.frameBytesMax + 1;
const schema = { fields: { ...pulseSchema.fields, text: field.string() } };
let seconds = 0;

async function send(lab: Lab, process: LabProcess, values: Readonly<Record<string, number>>): Promise<void> {
  const events = Object.entries(values).map(([id, value]) => ({
    event: { id, hospital: `H${id.charCodeAt(0) % 3}`, value, patient: null },
    time: 1_700_000_000_000 + seconds++ * 1_000,
  }));
  await lab.drive(process.source('beats').append({ origin: 'one', events }));
  await lab.settle(process);
}

async function streamsOf(lab: Lab) {
  const log = memoryLog({ clock: lab.clock, storage: lab.storage });
  const deadLetters = (await log.find(names.deadLetterStream)) as LogStream;
  return { deadLetters, input: (await log.find(names.inputStream(stageName(1)))) as LogStream };
}

async function lettersOf(lab: Lab) {
  const { deadLetters } = await streamsOf(lab);
  return (await lab.drive(readDeadLetterBook(deadLetters))).entries;
}

function accountingOf(process: LabProcess) {
  const units = [...(process.engine?.units.values() ?? [])];
  const accounting = mergeAccounting(units.map((unit) => unit.accounting));
  expect(isBalanced(accounting), JSON.stringify(accounting)).toBe(true);
  return accounting;
}

const idsOf = (lab: Lab, sink = 'rows') => lab.events(sink).map(({ id }) => id);

describe('a row that is too large for the log', () => {
  it('is a dead letter that says how large it is and what to do; the others go on, also after a crash and in a replay of the log', async () => {
    const lab = openLab({ topology: swelling });
    const first = await lab.start();
    await send(lab, first, { a: 1, b: tooLarge, c: 2 });
    expect(idsOf(lab)).toEqual(['a', 'c']);
    const [letter, ...more] = await lettersOf(lab);
    expect(more).toEqual([]);
    expect(letter).toMatchObject({ kind: 'sink', node: 'rows', code: 'MACH3211', sequence: 1, attempts: 1 });
    const bytes = Number(
      /^a row of long takes (\d+) bytes, more than rowBytesMax \(4128768\)$/.exec(letter?.reason ?? '')?.[1],
    );
    expect(bytes).toBeGreaterThan(tooLarge);
    const accounting = accountingOf(first);
    expect(accounting).toMatchObject({ in: 3, delivered: 2, dead_lettered: 1 });
    expect(first.engine?.stage.machine.runner('rows')?.counts).toMatchObject({ in: 3, out: 2, dead: 1 });
    const status = await lab.drive(engineStatus(first.engine as NonNullable<LabProcess['engine']>, lab.clock.now()));
    expect(status.nodes.find(({ id }) => id === 'rows')).toMatchObject({ in: 3, out: 2, dead: 1 });
    // Without a checkpoint the log is handled again from its beginning.
    first.kill();
    const second = await lab.start();
    await send(lab, second, { d: 3 });
    expect(idsOf(lab)).toEqual(['a', 'c', 'd']);
    expect(await lettersOf(lab)).toEqual([letter]);
    expect(accountingOf(second)).toMatchObject({ in: 4, delivered: 3, dead_lettered: 1 });
  });

  it('cannot be redriven, and the reason is true: not all of it was kept', async () => {
    const lab = openLab({ topology: swelling });
    const process = await lab.start();
    await send(lab, process, { b: tooLarge });
    const entries = await lettersOf(lab);
    const results: unknown[] = [];
    const redriving = async () => {
      const options = { entries, topology: lab.topology, names, ...(await streamsOf(lab)), clock: lab.clock };
      for await (const { outcome, problem } of redriveDeadLetters(options)) results.push([outcome, problem]);
    };
    await lab.drive(redriving());
    expect(results).toEqual([['left', 'only the first 262144 bytes of it were kept (deadLetterBytesMax)']]);
  });

  it('counts as delivered where another sink takes what came of the same event', async () => {
    const lab = openLab({ topology: `${swelling}  short: { collect: { from: beats } }\n` });
    const process = await lab.start();
    await send(lab, process, { a: 1, b: tooLarge });
    expect(idsOf(lab)).toEqual(['a']);
    expect(idsOf(lab, 'short')).toEqual(['a', 'b']);
    expect(await lettersOf(lab)).toMatchObject([{ node: 'rows', code: 'MACH3211' }]);
    expect(accountingOf(process)).toMatchObject({ in: 2, delivered: 2, dead_lettered: 0 });
  });

  it('is a letter of each sink that it was for', async () => {
    const lab = openLab({ topology: `${swelling}  others: { collect: { from: [long] } }\n` });
    const process = await lab.start();
    await send(lab, process, { b: tooLarge, c: 1 });
    expect((await lettersOf(lab)).map(({ node }) => node).sort()).toEqual(['others', 'rows']);
    expect(accountingOf(process)).toMatchObject({ in: 2, delivered: 1, dead_lettered: 1 });
  });

  it('is told by its own size: those that fit alone go out, in several messages', async () => {
    const half = Math.floor(limits.rowBytesMax / 2);
    const lab = openLab({ topology: swelling });
    const process = await lab.start();
    await send(lab, process, { a: half, b: half, c: half, d: half, e: tooLarge, f: half });
    expect(idsOf(lab)).toEqual(['a', 'b', 'c', 'd', 'f']);
    expect((await lettersOf(lab)).map(({ index }) => index)).toHaveLength(1);
    expect(accountingOf(process)).toMatchObject({ in: 6, delivered: 5, dead_lettered: 1 });
  });

  it.each([
    ['the largest that is allowed goes out', 0],
    ['one byte more is a letter', 1],
  ])('%s', async (_, more) => {
    const lab = openLab({ topology: swelling });
    const process = await lab.start();
    const others = rowBytes(schema, { id: 'a', hospital: 'H1', value: 1, patient: null, text: '' });
    await send(lab, process, { a: limits.rowBytesMax - others + more });
    expect(idsOf(lab)).toEqual(more === 0 ? ['a'] : []);
    expect(await lettersOf(lab)).toHaveLength(more);
  });

  const spread = `version: 1
name: lab
sources: { beats: { pulses: {}, idle: 30d } }
operators:
  each: { tallied: { from: beats } }
  long: { swells: { from: each } }
  counted: { numbered: { from: long } }
sinks:
  rows: { collect: { from: counted } }
`;

  async function atPartitions(partitions: number) {
    const lab = openLab({ topology: spread });
    const first = await lab.start({ partitions });
    await send(lab, first, { a: 1, b: tooLarge, c: 2, d: tooLarge, e: 3 });
    first.kill();
    const second = await lab.start({ partitions });
    await send(lab, second, { f: 1, g: tooLarge });
    await lab.drive(second.engine?.accounted() as Promise<void>);
    return {
      rows: lab.events('rows').map(({ id, tally, number }) => `${id} ${tally} ${number}`),
      letters: (await lettersOf(lab)).map(({ kind, node, input, code, reason }) => ({
        kind,
        node,
        input,
        code,
        reason,
      })),
      accounting: accountingOf(second),
      stages: second.engine?.plan.stages,
    };
  }

  it('is turned away before a stage that it would have to go to through the log, the same at any number of partitions', async () => {
    const [one, four] = [await atPartitions(1), await atPartitions(4)];
    expect([one.stages, four.stages]).toEqual([1, 2]);
    expect(one.rows).toEqual(['a 1 1', 'c 1 2', 'e 2 3', 'f 2 4']);
    expect(one.letters).toHaveLength(3);
    expect(one.letters[0]).toMatchObject({ kind: 'operator', node: 'counted', input: 'from', code: 'MACH3211' });
    expect(one.accounting).toMatchObject({ in: 7, delivered: 4, dead_lettered: 3 });
    expect(four.rows).toEqual(one.rows);
    expect(four.letters).toEqual(one.letters);
    expect(four.accounting).toEqual(one.accounting);
  });
});

describe('what is large, but no row', () => {
  it('in the state of a key is saved and restored whole; the row that comes of it is a letter', async () => {
    const asking = `version: 1
name: lab
sources: { beats: { pulses: {}, idle: 30d } }
operators:
  long: { swells: { from: beats } }
  asked: { ask: { from: long, timeout: 20d } }
sinks:
  rows: { collect: { from: asked } }
`;
    let isKnown = false;
    const lengths: number[] = [];
    const lab = openLab({
      topology: asking,
      edges: {
        async answer({ text }) {
          lengths.push(String(text).length);
          return isKnown ? 'yes' : new Promise(() => undefined);
        },
      },
    });
    const first = await lab.start();
    await send(lab, first, { a: tooLarge, b: 1 });
    await lab.drive(first.engine?.stage.checkpoint() as Promise<void>);
    first.kill();
    isKnown = true;
    const second = await lab.start();
    await lab.drive(lab.clock.sleep(1_000));
    await lab.settle(second);
    expect(second.engine?.stage.restoredAt).toBe(1);
    expect(lengths).toEqual([tooLarge, 1, tooLarge, 1]);
    expect(idsOf(lab)).toEqual(['b']);
    expect(await lettersOf(lab)).toMatchObject([{ node: 'rows', code: 'MACH3211' }]);
  });

  it('an answer of a look-up has failed, and says how large it is', async () => {
    const asking = `version: 1
name: lab
sources: { beats: { pulses: {}, idle: 30d } }
operators: { asked: { ask: { from: beats } } }
sinks: { rows: { collect: { from: asked } } }
`;
    const lab = openLab({ topology: asking, edges: { answer: async ({ value }) => 'x'.repeat(Number(value)) } });
    const process = await lab.start();
    await send(lab, process, { a: 3, b: tooLarge });
    await lab.drive(lab.clock.sleep(1_000));
    await lab.settle(process);
    expect(lab.events('rows').map(({ id, answer, failure }) => [id, answer, failure])).toEqual([
      ['a', 'xxx', null],
      ['b', null, expect.stringMatching(/^the answer takes \d+ bytes, more than rowBytesMax \(4128768\)$/)],
    ]);
  });

  it('many rows that a sink refuses are letters in several messages, each once, after a crash too', async () => {
    const [count, size] = [20, 300_000];
    const lab = openLab({
      topology: swelling,
      edges: {
        write: async (_sink, rows) => rows.map((row) => ({ row, code: 'MACH3102', reason: 'too large for this sink' })),
      },
    });
    const ids = Array.from({ length: count }, (_, at) => `r${at}`);
    const values = Object.fromEntries(ids.map((id) => [id, size]));
    const first = await lab.start({ prepare: (points) => points.arm('sink.after-bury', 1) });
    await lab.drive(
      first.source('beats').append({
        origin: 'one',
        events: ids.map((id) => ({ event: { id, hospital: 'H1', value: values[id], patient: null }, time: 1_000 })),
      }),
    );
    await lab.drive(first.died);
    const second = await lab.start();
    await lab.settle(second);
    const letters = await lettersOf(lab);
    expect(letters).toHaveLength(count);
    expect(new Set(letters.map(({ position }) => position)).size).toBeGreaterThan(1);
    expect(second.engine?.sinks.get('rows')?.counts).toMatchObject({ rows: 0, dead: count });
  });

  it('a reason that a node gives is cut, so that its letter always finds room', async () => {
    const lab = openLab({
      topology: swelling,
      edges: {
        write: async (_sink, rows) => rows.map((row) => ({ row, code: 'MACH3102', reason: 'y'.repeat(tooLarge) })),
      },
    });
    const process = await lab.start();
    await send(lab, process, { a: 1 });
    expect((await lettersOf(lab)).map(({ reason }) => reason.length)).toEqual([limits.deadLetterReasonLengthMax]);
  });
});
