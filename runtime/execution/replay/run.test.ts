/** A replay on the log of an engine that died now and then: the same topology gives the same rows, a changed one gives its own. */
import { beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../random.ts';
import type { Event } from '../../stream/schema.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { topologyNames } from '../../topology/names.ts';
import type { OutputRow } from '../log-frame.ts';
import { type Lived, labTopology, liveAndDie, replayedTopology, shownRow } from './lab.fixture.ts';
import { openPast } from './past.ts';
import { type ReplayOptions, type ReplayResult, replay } from './run.ts';

interface Replayed extends Omit<ReplayResult, 'rows'> {
  readonly rows: Readonly<Record<string, ReturnType<typeof shownRow>[]>>;
  readonly notes: readonly string[];
}

async function replayed(
  { lab, last }: Lived,
  options: Partial<Pick<ReplayOptions, 'from' | 'until' | 'redecode' | 'askAgain' | 'topology'>> = {},
): Promise<Replayed> {
  const before = lab.topology;
  const topology = options.topology ?? before;
  const names = topologyNames(before.name);
  const objects = await last.log.objects(names.checkpointBucket);
  const past = await openPast({ log: last.log, topology, writtenBy: before, names, objects });
  const rows: Record<string, ReturnType<typeof shownRow>[]> = {};
  const notes: string[] = [];
  const result = await replay({
    past,
    before,
    from: past.first,
    until: past.last,
    ...options,
    topology,
    output: {
      row(output: string, row: OutputRow) {
        const list = rows[output] ?? [];
        rows[output] = list;
        list.push(shownRow(row));
      },
      ready: () => undefined,
      finish: async () => {},
    },
    onNote: (note) => void notes.push(note),
  });
  return { ...result, rows, notes };
}

const changed = (from: string, to: string, edges?: Parameters<typeof labTopology>[1]): BoundTopology => {
  expect(replayedTopology).toContain(from);
  return labTopology(replayedTopology.replace(from, to), edges);
};

describe('a replay', () => {
  let lived: Lived;
  const live = (sink: string) => lived.lab.sink(sink).rows.map(shownRow);

  beforeAll(async () => {
    lived = await liveAndDie({ random: seededRandom(7) });
    expect(lived.lives).toBeGreaterThan(2);
  });

  it('of the same topology gives the same rows in the same places, and leaves the log as it was', async () => {
    const streams = () =>
      [...lived.lab.storage.streams.values()].map(({ spec, lastSequence }) => [spec.name, lastSequence]);
    const before = streams();
    const { rows, events, remainingMs, phase } = await replayed(lived);
    expect(rows.rows).toEqual(live('rows'));
    expect(rows.sums).toEqual(live('sums'));
    expect({ phase, remainingMs }).toEqual({ phase: 'done', remainingMs: 0 });
    expect(events).toBeGreaterThan(200);
    expect(streams()).toEqual(before);
  });

  it('of a part writes the results of that part alone, from the state before it', async () => {
    const whole = await replayed(lived);
    const from = Math.floor(whole.until * 0.6);
    const until = Math.floor(whole.until * 0.8);
    const { rows, restored, messages } = await replayed(lived, { from, until });
    expect(restored?.sequence).toBeGreaterThan(0);
    expect(messages).toBe(until - (restored?.sequence ?? 0));
    const within = (list: ReturnType<typeof live>) =>
      list.filter((row) => row.sequence >= from && row.sequence <= until);
    expect(rows.rows).toEqual(within(live('rows')));
    expect(rows.sums).toEqual(within(live('sums')));
  });

  it('of a topology that changed above a state does not use a state that the old one made', async () => {
    const topology = changed('min: 2', 'min: 5');
    const whole = await replayed(lived, { topology });
    const from = Math.floor(whole.until * 0.6);
    const part = await replayed(lived, { topology, from });
    expect(part.restored).toBeUndefined();
    expect(part.rows.rows).toEqual(whole.rows.rows?.filter((row) => row.sequence >= from));
    expect(part.rows.rows).not.toEqual(live('rows').filter((row) => row.sequence >= from));
  });

  it('of a topology that changed below its states uses them', async () => {
    const topology = changed('sums: { collect: { from: windows', 'all: { collect: { from: windows');
    const { until } = await replayed(lived);
    const from = Math.floor(until * 0.7);
    const { restored, rows } = await replayed(lived, { topology, from });
    expect(restored?.sequence).toBeGreaterThan(0);
    expect(rows.all).toEqual(live('sums').filter(({ sequence }) => sequence >= from));
  });

  it('passes over a source that is gone, and waits for none that is new', async () => {
    const topology = labTopology(`
version: 1
name: lab
sources:
  beds: { pulses: {}, idle: 30d, disorder: 1s }
  rooms: { pulses: {}, idle: 30d }
operators:
  both: { merged: { left: beds, right: rooms } }
  windows: { totals: { from: both, every: 10s } }
sinks:
  sums: { collect: { from: windows, key: [hospital, begin] } }
`);
    const { rows, notes } = await replayed(lived, { topology });
    expect(notes).toEqual([
      'source rooms is new: the log has nothing of it, and nobody waits for it',
      'source calls is gone: what the log has of it is passed over',
    ]);
    const events = (list: readonly { event: Event }[] = []) => list.map(({ event }) => event);
    // The windows have all of the beds' pulses here, those that the live one turns away for their value included.
    expect(events(rows.sums)).toEqual(events(live('sums')));
  });
});

describe('look-ups of a replay', () => {
  const asking = `
version: 1
name: lab
sources: { beds: { pulses: {}, idle: 30d, disorder: 1s }, calls: { pulses: {}, idle: 30d } }
operators:
  kept: { keep: { from: beds, min: 1 } }
  known: { ask: { from: kept } }
  order: { numbered: { from: known } }
sinks:
  heard: { collect: { from: calls } }
  rows: { collect: { from: order } }
`;
  let lived: Lived;
  let asks = 0;
  const answer = async (event: Event) => {
    asks++;
    return { of: event.id, asks };
  };
  const withEdges = (text: string) => labTopology(text, { answer, opened() {}, write: async () => [] });

  beforeAll(async () => {
    lived = await liveAndDie({ random: seededRandom(3), topology: asking, rounds: 30, answer });
  });

  it('get the answers that the log has, and ask nobody', async () => {
    const before = asks;
    const { rows } = await replayed(lived);
    expect(rows.rows).toEqual(lived.lab.sink('rows').rows.map(shownRow));
    expect(rows.rows?.length).toBeGreaterThan(20);
    expect(asks).toBe(before);
  });

  it('get them in a topology that changed elsewhere, too', async () => {
    const text = asking.replace('sinks:\n', 'sinks:\n  all: { collect: { from: beds } }\n');
    const { rows } = await replayed(lived, { topology: withEdges(text) });
    const events = (list: readonly { event: Event }[] = []) => list.map(({ event }) => event);
    expect(events(rows.rows)).toEqual(lived.lab.events('rows'));
    expect(rows.all?.length).toBeGreaterThan(rows.rows?.length as number);
  });

  it('that changed are refused (MACH3233), or asked anew at once', async () => {
    const topology = withEdges(asking.replace('min: 1', 'min: 2'));
    await expect(replayed(lived, { topology })).rejects.toMatchObject({ code: 'MACH3233', data: { nodes: 'known' } });
    const before = asks;
    const { rows } = await replayed(lived, { topology, askAgain: true });
    const wanted = lived.lab.events('rows').filter(({ value }) => (value as number) >= 2);
    expect(rows.rows?.map(({ event }) => [event.id, (event.answer as Event).of])).toEqual(
      wanted.map(({ id }) => [id, id]),
    );
    expect(asks - before).toBe(wanted.length);
    const places = rows.rows?.map(({ sequence, index }) => `${sequence}.${index}`) ?? [];
    expect(new Set([...places, ...(rows.heard?.map(({ sequence, index }) => `${sequence}.${index}`) ?? [])]).size).toBe(
      places.length + (rows.heard?.length ?? 0),
    );
  });
});

describe('texts that senders sent', () => {
  const text = `
version: 1
name: lab
sources: { beds: { pulses: {}, idle: 30d } }
operators: { order: { numbered: { from: beds } } }
sinks: { rows: { collect: { from: order } } }
`;

  it('are decoded anew where they lie in the log; what has none stays as it is', async () => {
    const lived = await liveAndDie({ random: seededRandom(5), topology: text, rounds: 0 });
    const { lab, last } = lived;
    const event = (id: string) => ({ id, hospital: 'H1', value: 0, patient: null });
    const time = lab.clock.now();
    const events = [
      { event: event('decoded_wrongly'), time, raw: 'a H1 7 1700000001\nb H1 8 1700000002' },
      { event: event('without_text'), time },
      { event: event('unreadable'), time, raw: 'this is no pulse' },
    ];
    await lab.drive(last.source('beds').append({ origin: 'H1', events }));
    await lab.settle(last);
    const { rows, rowsBySink } = await replayed(lived, { redecode: true });
    expect(rows.rows?.map(({ event: { id, value } }) => [id, value])).toEqual([
      ['a', 7],
      ['b', 8],
      ['without_text', 0],
    ]);
    expect(rowsBySink.$dead).toBe(1);
  });

  it('cannot be where the connector has no decoder (MACH3239)', async () => {
    const lived = await liveAndDie({ random: seededRandom(5), topology: text, rounds: 1 });
    const topology = labTopology(text.replace('pulses: {}', 'pulses: { decodes: false }'));
    await expect(replayed(lived, { topology, redecode: true })).rejects.toMatchObject({ code: 'MACH3239' });
  });
});
