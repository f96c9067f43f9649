import { describe, expect, it } from 'vitest';
import type { LogStream } from '../../bus/log.ts';
import { memoryLog } from '../../bus/memory/log.ts';
import { armedCrashPoints, type CrashPoints, SimulatedCrash } from '../../faults.ts';
import { isBalanced, mergeAccounting } from '../../stream/ledger.ts';
import { defineSchema, type Event, field } from '../../stream/schema.ts';
import type { SinkRow } from '../../stream/sink-definition.ts';
import { type Lab, type LabProcess, openLab } from '../../testing/engine-lab.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { stageName, topologyNames } from '../../topology/names.ts';
import type { OutputRow } from '../log-frame.ts';
import { rowByRow } from '../output-run.ts';
import { StageMachine } from '../stage-machine.ts';
import { type DeadLetterBook, rawReader, readDeadLetterBook } from './book.ts';
import { type RedriveResult, redriveDeadLetters } from './redrive.ts';

const yaml = (checked: string) => `version: 1
name: lab
sources:
  beats: { pulses: {} }
operators:
  checked: { ${checked} }
  counted: { numbered: { from: checked } }
sinks:
  rows: { collect: { from: counted } }
`;

/** Cannot deal with pulses without a value; what mends it. */
const broken = yaml('refuses: { from: beats }');
const mended = yaml('keep: { from: beats, min: 0 }');

const names = topologyNames('lab');

interface Streams {
  readonly deadLetters: LogStream;
  readonly input: LogStream;
}

/** What a command sees that runs beside the engine, or without it. */
async function lookIn(lab: Lab): Promise<Streams> {
  const log = memoryLog({ clock: lab.clock, storage: lab.storage });
  const deadLetters = (await log.find(names.deadLetterStream)) as LogStream;
  return { deadLetters, input: (await log.find(names.inputStream(stageName(1)))) as LogStream };
}

async function bookOf(lab: Lab): Promise<DeadLetterBook> {
  return lab.drive(readDeadLetterBook((await lookIn(lab)).deadLetters));
}

async function redrive(
  lab: Lab,
  topology: BoundTopology,
  options: { crashPoints?: CrashPoints; dryRun?: boolean } = {},
): Promise<RedriveResult[]> {
  const work = async () => {
    const streams = await lookIn(lab);
    const { entries } = await readDeadLetterBook(streams.deadLetters);
    const results: RedriveResult[] = [];
    for await (const one of redriveDeadLetters({ entries, topology, names, ...streams, clock: lab.clock, ...options }))
      results.push(one);
    return results;
  };
  return lab.drive(work());
}

const outcomesOf = (results: readonly RedriveResult[]) => results.map(({ outcome }) => outcome);

async function settled(lab: Lab, process: LabProcess): Promise<LabProcess> {
  await lab.settle(process);
  return process;
}

function accountingOf(process: LabProcess) {
  const accounting = process.engine?.stage.machine.accounting;
  if (!accounting) throw new Error('the process does not run');
  expect(isBalanced(accounting), JSON.stringify(accounting)).toBe(true);
  return accounting;
}

const letter = (raw: string, line = 1) => ({
  code: 'MACH9901',
  reason: 'not a pulse',
  raw: Buffer.from(raw),
  place: { connection: 'H1', line },
});

const pulse = (id: string, value: number | null) => ({
  event: { id, hospital: 'H1', value, patient: 'Nguyễn Văn Thử' },
  time: 1_000,
});

const idsOf = (lab: Lab) => lab.events('rows').map(({ id }) => id);

describe('a letter of a source', () => {
  async function withLetters(raws: readonly string[]): Promise<{ lab: Lab; process: LabProcess }> {
    const lab = openLab({ topology: broken });
    const process = await lab.start();
    const deadLetters = raws.map((raw, at) => letter(raw, at + 1));
    await lab.drive(process.source('beats').append({ origin: 'H1', events: [pulse('a', 1)], deadLetters }));
    return { lab, process: await settled(lab, process) };
  }

  it('is decoded as it would be now, goes in once, and says what became of it', async () => {
    const { lab, process } = await withLetters(['b H1 2 20', 'c H1 3 30']);
    expect(await redrive(lab, lab.topology, { dryRun: true })).toMatchObject([{ outcome: 'redriven' }, { events: 1 }]);
    expect(idsOf(lab)).toEqual(['a']);
    expect(outcomesOf(await redrive(lab, lab.topology))).toEqual(['redriven', 'redriven']);
    await settled(lab, process);
    expect(idsOf(lab)).toEqual(['a', 'b', 'c']);
    expect(outcomesOf(await redrive(lab, lab.topology))).toEqual(['before', 'before']);
    await settled(lab, process);
    expect(idsOf(lab)).toEqual(['a', 'b', 'c']);
    const { entries, endings, followers } = await bookOf(lab);
    expect(entries).toMatchObject([
      { kind: 'decode', node: 'beats', attempts: 1, first: null, place: { connection: 'H1', line: 1 } },
      { kind: 'decode', node: 'beats', attempts: 1, first: null, place: { connection: 'H1', line: 2 } },
    ]);
    expect(entries.map(({ id }) => endings.get(id))).toEqual([{ delivered: 1 }, { delivered: 1 }]);
    expect(followers.size).toBe(0);
    expect(accountingOf(process)).toMatchObject({ in: 5, delivered: 3, dead_lettered: 2, redriven: 2 });
  });

  it('goes in once, however many redrive it at the same time', async () => {
    const { lab, process } = await withLetters(['b H1 2 20', 'c H1 3 30', 'd H1 4 40']);
    const all = await Promise.all([1, 2, 3].map(() => redrive(lab, lab.topology)));
    expect(all.flatMap(outcomesOf).filter((outcome) => outcome === 'redriven')).toHaveLength(3);
    await settled(lab, process);
    expect(idsOf(lab)).toEqual(['a', 'b', 'c', 'd']);
  });

  it.each(['redrive.before-append', 'redrive.after-append'])(
    'counts once when who redrives it dies at %s, long ago',
    async (point) => {
      const { lab, process } = await withLetters(['b H1 2 20', 'c H1 3 30', 'd H1 4 40']);
      const crashPoints = armedCrashPoints();
      crashPoints.arm(point, 2);
      await expect(redrive(lab, lab.topology, { crashPoints })).rejects.toThrow(SimulatedCrash);
      // Longer than the log knows an append by its name.
      await lab.clock.advance(3_600_000);
      await redrive(lab, lab.topology);
      await settled(lab, process);
      expect(idsOf(lab)).toEqual(['a', 'b', 'c', 'd']);
      expect(accountingOf(process).redriven).toBe(3);
    },
  );

  it('that still cannot be decoded becomes a letter of the next attempt, linked to the first', async () => {
    const { lab, process } = await withLetters(['still not']);
    for (const attempts of [2, 3]) {
      await redrive(lab, lab.topology);
      await settled(lab, process);
      const { entries, followers } = await bookOf(lab);
      expect(entries).toHaveLength(attempts);
      const [first, , last] = [entries[0], null, entries.at(-1)];
      expect(last).toMatchObject({ attempts, first: first?.id, previous: entries.at(-2)?.id, code: 'MACH9901' });
      expect(last?.place).toEqual({ connection: 'H1', line: 1 });
      expect(followers.get(String(entries.at(-2)?.id))).toBe(last?.id);
    }
    expect(accountingOf(process)).toMatchObject({ in: 4, delivered: 1, dead_lettered: 3, redriven: 2 });
  });

  it('that came while the source could not decode at all stays, with the reason', async () => {
    const lab = openLab({ topology: broken.replace('pulses: {}', 'pulses: { decodes: false }') });
    const process = await lab.start();
    await lab.drive(process.source('beats').append({ origin: 'H1', events: [], deadLetters: [letter('b H1 2 20')] }));
    await settled(lab, process);
    const [result] = await redrive(lab, lab.topology);
    expect(result).toMatchObject({ outcome: 'left', problem: 'pulses cannot decode what it has kept' });
  });
});

describe('a letter of an operator', () => {
  it('goes in again at the input that it had come by, in the topology that was mended, also after a crash', async () => {
    const lab = openLab({ topology: broken });
    const first = await lab.start();
    const events = [pulse('a', 1), pulse('b', null), pulse('c', 3)];
    await lab.drive(first.source('beats').append({ origin: 'H1', events }));
    await settled(lab, first);
    const [entry] = (await bookOf(lab)).entries;
    expect(entry).toMatchObject({ kind: 'operator', node: 'checked', input: 'from', code: 'MACH9902', time: 1_000 });
    const raw = await lab.drive(rawReader((await lookIn(lab)).deadLetters)(entry as NonNullable<typeof entry>));
    expect(JSON.parse(Buffer.from(raw as Uint8Array).toString())).toEqual(events[1]?.event);
    await lab.drive((first.engine as NonNullable<LabProcess['engine']>).drain());

    const second = await lab.start({ topology: mended, acceptLoss: ['checked'] });
    expect(outcomesOf(await redrive(lab, (second.engine as NonNullable<LabProcess['engine']>).topology))).toEqual([
      'redriven',
    ]);
    await settled(lab, second);
    // It dies before a checkpoint, and handles the same log once more.
    second.kill();
    const third = await settled(lab, await lab.start({ topology: mended, acceptLoss: ['checked'] }));
    expect(lab.events('rows')).toMatchObject([
      { id: 'a', number: 1 },
      { id: 'c', number: 2 },
      { id: 'b', number: 3, value: null },
    ]);
    expect((await bookOf(lab)).endings.get(String(entry?.id))).toEqual({ delivered: 1 });
    expect(accountingOf(third)).toMatchObject({ in: 4, delivered: 3, dead_lettered: 1, redriven: 1 });
  });

  it('that has no place in the topology that runs is a letter again', async () => {
    const lab = openLab({ topology: broken });
    const process = await lab.start();
    await lab.drive(process.source('beats').append({ origin: 'H1', events: [pulse('b', null)] }));
    await settled(lab, process);
    await lab.drive((process.engine as NonNullable<LabProcess['engine']>).drain());
    const other = broken.replaceAll('checked', 'examined');
    const next = await lab.start({ topology: other, acceptLoss: ['checked', 'counted'] });
    // By somebody who has the old file still.
    await redrive(lab, lab.topology);
    await settled(lab, next);
    const { entries } = await bookOf(lab);
    expect(entries[1]).toMatchObject({ code: 'MACH3210', attempts: 2, previous: entries[0]?.id, input: 'from' });
    expect(entries[1]?.reason).toContain('the topology has no node checked any more');
    expect(accountingOf(next)).toMatchObject({ in: 2, dead_lettered: 2, redriven: 1 });
  });
});

describe('a letter of a sink', () => {
  it('is the same row again, with its place among the results', async () => {
    let full = true;
    const written: SinkRow[] = [];
    const lab = openLab({
      topology: broken,
      edges: {
        async write(_sink, rows) {
          const refused = rows.filter(({ event }) => full && event.id === 'b');
          written.push(...rows.filter((row) => !refused.includes(row)));
          return refused.map((row) => ({ row, code: 'MACH3102', reason: 'too large' }));
        },
      },
    });
    const process = await lab.start();
    const events = [pulse('a', 1), pulse('b', 2), pulse('c', 3)];
    await lab.drive(process.source('beats').append({ origin: 'H1', events }));
    await settled(lab, process);
    // Refused once more: the second attempt.
    await redrive(lab, lab.topology);
    await settled(lab, process);
    full = false;
    expect(outcomesOf(await redrive(lab, lab.topology))).toEqual(['before', 'redriven']);
    await settled(lab, process);
    const { entries } = await bookOf(lab);
    expect(entries).toMatchObject([
      { kind: 'sink', node: 'rows', code: 'MACH3102', attempts: 1, sequence: 1, index: 1, stage: 's1', partition: 0 },
      { kind: 'sink', attempts: 2, sequence: 1, index: 1, first: entries[0]?.id, previous: entries[0]?.id },
    ]);
    expect(written.map(({ event, stage, sequence, index }) => [event.id, stage, sequence, index])).toEqual([
      ['a', 's1', 1, 0],
      ['c', 's1', 1, 2],
      ['b', 's1', 1, 1],
    ]);
    expect(written[2]?.event).toMatchObject({ number: 2, value: 2 });
  });

  it('does not come a second time with its batch, when the store has changed its mind by the next start', async () => {
    let full = true;
    const written: unknown[] = [];
    const lab = openLab({
      topology: broken,
      edges: {
        async write(_sink, rows) {
          const refused = rows.filter(({ event }) => full && event.id === 'b');
          written.push(...rows.filter((row) => !refused.includes(row)).map(({ event }) => event.id));
          return refused.map((row) => ({ row, code: 'MACH3102', reason: 'too large' }));
        },
      },
    });
    const first = await lab.start();
    await lab.drive(first.source('beats').append({ origin: 'H1', events: [pulse('a', 1), pulse('b', 2)] }));
    await settled(lab, first);
    first.kill();
    full = false;
    const second = await settled(lab, await lab.start());
    expect(written).toEqual(['a']);
    await redrive(lab, lab.topology);
    await settled(lab, second);
    expect(written).toEqual(['a', 'b']);
  });
});

describe('at four partitions', () => {
  const spread = `version: 1
name: lab
sources:
  beats: { pulses: {} }
operators:
  checked: { refuses: { from: beats } }
  each: { keep: { from: checked, min: 0 } }
  sums: { totals: { from: each, every: 1m } }
  again: { refuses: { from: sums } }
  counted: { numbered: { from: again } }
sinks:
  rows: { collect: { from: each } }
  numbers: { collect: { from: counted, key: [number] } }
  sums_kept: { collect: { from: sums, key: [hospital] } }
`;
  const at = (id: string, hospital: string, value: number | null, minute: number) => ({
    event: { id, hospital, value, patient: null },
    time: minute * 60_000,
  });

  async function letters(partitions: number) {
    let full = true;
    const tokens = new Set<string>();
    const written: SinkRow[] = [];
    const lab = openLab({
      topology: spread,
      edges: {
        async write(sink, rows, token) {
          // As the store does.
          if (tokens.has(token)) return [];
          tokens.add(token);
          const refused = rows.filter(
            ({ event }) =>
              full &&
              ((sink === 'sums_kept' && event.hospital === 'H2') || (sink === 'numbers' && event.hospital === 'H3')),
          );
          written.push(...rows.filter((row) => !refused.includes(row)));
          return refused.map((row) => ({ row, code: 'MACH3102', reason: 'too large' }));
        },
      },
    });
    const first = await lab.start({ partitions });
    const hospitals = ['H1', 'H2', 'H3', 'H4', 'H5'];
    const events = hospitals.flatMap((hospital, n) => [at(`a${n}`, hospital, n, 0), at(`b${n}`, hospital, null, 0)]);
    const source = first.source('beats');
    await lab.drive(source.append({ origin: 'one', events, deadLetters: [letter('c H3 7 30'), letter('d H5 8 30')] }));
    await lab.drive(source.append({ origin: 'one', events: [at('z', 'H1', 1, 5)] }));
    await settled(lab, first);
    full = false;
    // Values of letters are still null: mended by letting them through.
    const mendedYaml = spread.replace('refuses: { from: beats }', 'keep: { from: beats, min: 0 }');
    await lab.drive((first.engine as NonNullable<LabProcess['engine']>).drain());
    const second = await lab.start({ topology: mendedYaml, acceptLoss: ['checked'], partitions });
    const { topology } = second.engine as NonNullable<LabProcess['engine']>;
    const results = await redrive(lab, topology);
    expect(results.map(({ problem }) => problem)).toEqual(results.map(() => null));
    await settled(lab, second);
    second.kill();
    const third = await settled(lab, await lab.start({ topology: mendedYaml, acceptLoss: ['checked'], partitions }));
    expect(third.engine?.plan.stages).toBe(partitions === 1 ? 1 : 2);
    const accounting = mergeAccounting([...(third.engine?.units.values() ?? [])].map((unit) => unit.accounting));
    expect(isBalanced(accounting), JSON.stringify(accounting)).toBe(true);
    const { entries, endings } = await bookOf(lab);
    expect(entries.map(({ id, kind }) => [kind, endings.has(id)])).toEqual(entries.map(({ kind }) => [kind, true]));
    // Several partitions change their version at a mark, which takes a place in the log of its own: the order counts.
    const places = [...new Set(written.map(({ sequence }) => sequence))].sort((one, other) => one - other);
    const show = ({ event, sequence }: SinkRow) => JSON.stringify([places.indexOf(sequence), event]);
    const of = (wanted: (row: SinkRow) => boolean) => written.filter(wanted).map(show).sort();
    return {
      rows: of(({ event }) => 'id' in event),
      sums: of(({ event }) => 'count' in event && !('number' in event)),
      numbers: of(({ event }) => 'number' in event),
      accounting,
      endings: [...endings.values()].map((ending) => JSON.stringify(ending)).sort(),
    };
  }

  it('each counts once, and gives what it gives at one', async () => {
    const [one, four] = [await letters(1), await letters(4)];
    expect(one.accounting.redriven).toBe(9);
    expect(four.accounting).toEqual(one.accounting);
    expect(four.endings).toEqual(one.endings);
    expect(one.rows).toHaveLength(13);
    // H2's sum had been refused, and keeps its place.
    expect(one.sums.filter((row) => row.includes('"H2"'))).toHaveLength(1);
    expect(new Set(four.rows)).toEqual(new Set(one.rows));
    expect(four.rows).toHaveLength(13);
    expect(four.sums).toEqual(one.sums);
    // This one stands in the second stage: the letter of H3 is passed on to where it is.
    expect(one.numbers).toHaveLength(5);
    expect(four.numbers).toEqual(one.numbers);
  });
});

describe('a letter of a look-up', () => {
  it('that goes unanswered again is linked, though its answer comes in a later message', () => {
    const schema = defineSchema({ id: field.string() });
    const edge = (node: string) => [{ input: 'from', from: { node, port: 'out' }, schema }];
    const lookup = {
      input: 'from',
      ask: async () => null,
      concurrency: 1,
      timeoutMs: 1_000,
      order: 'kept' as const,
      join: (event: Event, answer: unknown) =>
        answer === null ? { dead: { code: 'MACH9903', reason: 'nobody knows' } } : { event },
    };
    const topology = {
      sources: [{ id: 'beats', bound: { ports: { out: schema } }, disorderMs: 0 }],
      operators: [{ id: 'named', bound: { ports: { out: schema }, lookup }, inputs: edge('beats') }],
      sinks: [{ id: 'rows', inputs: edge('named') }],
    } as unknown as BoundTopology;
    const rows: OutputRow[] = [];
    const asked: string[] = [];
    const machine = new StageMachine(topology, {
      rows: rowByRow((_output, row) => void rows.push(row)),
      question: ({ id }) => void asked.push(id),
    });
    const answers = (answer: unknown) => [{ id: asked.at(-1) ?? '', answer, failure: null }];
    const link = { letter: 'b00000000000', first: 'a00000000000', attempts: 2, sequence: 1, time: 5 };
    const frame = {
      ...link,
      kind: 'redrive' as const,
      input: 'from',
      events: [{ id: 'x' }],
      times: [5],
      deadLetters: [],
    };
    machine.handle(7, 'named', frame);
    machine.handle(8, 'named', { kind: 'answers', answers: answers(null) });
    expect(rows.map(({ event }) => event)).toMatchObject([
      { kind: 'ending', node: 'named', previous: 'b00000000000', place: { delivered: 1 } },
      { kind: 'operator', input: 'from', attempts: 3, first: 'a00000000000', previous: 'b00000000000' },
    ]);
  });
});
