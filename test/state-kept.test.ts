/**
 * Every operator that keeps state, changed in the middle of two hours of a made-up city: which changes its state outlives, and that the
 * rows afterwards are those that the new version would have given all along, where its state can know that.
 */
import { deserialize, serialize } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { fingerprintsOf } from '../runtime/execution/fingerprint.ts';
import type { StageSnapshot } from '../runtime/execution/stage-machine.ts';
import { adoptSnapshot, stateVerdicts } from '../runtime/execution/upgrade/adopt.ts';
import { nodeIdentitiesOf } from '../runtime/execution/upgrade/state-identity.ts';
import type { BoundTopology } from '../runtime/topology/bound.ts';
import {
  fixtureMachine,
  fixtureMessages,
  fixtureTopology,
  loadFixture,
  messagesBefore,
  plainRows,
} from './checkpoint-fixture.ts';

type Verdict = 'kept' | 'migrated' | 'lost';

interface Case {
  readonly node: string;
  /** Text of the topology, and what stands in its place. */
  readonly from: string;
  readonly to: string;
  readonly verdict: Verdict;
  /** The sink whose rows after the change are those of the new version run all along. */
  readonly asAllAlong?: string;
}

const aggregates = 'values: { n: count(), most: max(minutes), typical: "quantile(minutes, 0.5)" }';
const levels = 'escalate: { severe: minutes >= 110 }';

const cases: readonly Case[] = [
  { node: 'once', from: 'within: 1h', to: 'within: 3h', verdict: 'kept' },
  { node: 'once', from: 'by: id,', to: 'by: [id],', verdict: 'kept', asAllAlong: 'some_rows' },
  { node: 'once', from: 'by: id,', to: 'by: [id, hospital],', verdict: 'lost' },
  { node: 'some', from: 'every: 3', to: 'every: 4', verdict: 'kept' },
  { node: 'some', from: 'every: 3, key: hospital', to: 'every: 3', verdict: 'lost' },
  { node: 'slow', from: 'every: 2m, keep: latest', to: 'every: 1m, keep: latest', verdict: 'migrated' },
  { node: 'slow', from: 'every: 2m, keep: latest', to: 'every: 2m, keep: first', verdict: 'migrated' },
  { node: 'slow', from: 'key: hospital, every: 2m', to: 'every: 2m', verdict: 'lost' },
  {
    node: 'windows',
    from: aggregates,
    to: aggregates.replace('n:', 'many:'),
    verdict: 'kept',
    asAllAlong: 'window_rows',
  },
  {
    node: 'windows',
    from: aggregates,
    to: 'values: { most: max(minutes) }',
    verdict: 'migrated',
    asAllAlong: 'window_rows',
  },
  {
    node: 'windows',
    from: aggregates,
    to: 'values: { typical: "quantile(minutes, 0.5)", again: "quantile(minutes, 0.5)", n: count() }',
    verdict: 'migrated',
    asAllAlong: 'window_rows',
  },
  { node: 'windows', from: aggregates, to: 'values: { n: count(), all: sum(minutes) }', verdict: 'lost' },
  { node: 'windows', from: 'tumbling: 5m, lateness: 5m', to: 'tumbling: 5m, lateness: 5m, early: 1m', verdict: 'kept' },
  { node: 'windows', from: 'tumbling: 5m, lateness: 5m', to: 'tumbling: 5m', verdict: 'migrated' },
  { node: 'windows', from: 'tumbling: 5m, lateness: 5m', to: 'tumbling: 5m, lateness: 1h', verdict: 'migrated' },
  { node: 'windows', from: 'tumbling: 5m, lateness: 5m', to: 'tumbling: 10m, lateness: 5m', verdict: 'lost' },
  {
    node: 'sliding',
    from: 'values: { total: sum(minutes), least: min(minutes) }',
    to: 'values: { least: min(minutes) }',
    verdict: 'migrated',
    asAllAlong: 'sliding_rows',
  },
  {
    node: 'sliding',
    from: 'values: { total: sum(minutes), least: min(minutes) }',
    to: 'values: { least: min(minutes), total: sum(minutes) }',
    verdict: 'migrated',
    asAllAlong: 'sliding_rows',
  },
  {
    node: 'moving',
    from: 'values: { longest: max(minutes) }',
    to: 'values: { longest: max(minutes), again: max(minutes) }',
    verdict: 'migrated',
    asAllAlong: 'moving_rows',
  },
  { node: 'sliding', from: 'every: 2m }, values', to: 'every: 5m }, values', verdict: 'lost' },
  {
    node: 'sessions',
    from: 'values: { n: count(), kinds: distinct(hospital) }',
    to: 'values: { kinds: distinct(hospital) }',
    verdict: 'migrated',
    asAllAlong: 'session_rows',
  },
  {
    node: 'sessions',
    from: 'values: { n: count(), kinds: distinct(hospital) }',
    // Numbers alone: they are kept in another way.
    to: 'values: { n: count() }',
    verdict: 'migrated',
    asAllAlong: 'session_rows',
  },
  { node: 'sessions', from: 'session: 90s', to: 'session: 90s, lateness: 10m', verdict: 'migrated' },
  { node: 'sessions', from: 'session: 90s', to: 'session: 120s', verdict: 'lost' },
  { node: 'worst', from: 'rows: 2', to: 'rows: 3', verdict: 'kept' },
  { node: 'totals', from: 'early: change', to: 'early: 5m', verdict: 'kept' },
  {
    node: 'totals',
    from: 'values: { n: count(), most: max(minutes), usual: mean(minutes) }',
    to: 'values: { usual: mean(minutes), n: count() }',
    verdict: 'migrated',
  },
  { node: 'totals', from: 'key: department, of: hospital, window', to: 'key: department, window', verdict: 'lost' },
  { node: 'remembered', from: 'forget: 1h', to: 'forget: 2h', verdict: 'kept' },
  { node: 'newest_wait', from: 'key: hospital, every: 5m }', to: 'key: hospital, every: 10m }', verdict: 'kept' },
  { node: 'newest_wait', from: 'key: hospital, every: 5m }', to: 'key: department, every: 5m }', verdict: 'lost' },
  { node: 'all_pairs', from: 'within: forever', to: 'within: { before: forever, after: 1h }', verdict: 'kept' },
  { node: 'all_pairs', from: 'prefix: any_', to: 'prefix: some_', verdict: 'kept' },
  { node: 'rising', from: 'values: { n: rise.count,', to: 'values: { rises: rise.count,', verdict: 'kept' },
  { node: 'rising', from: 'minutes > previous.minutes', to: 'minutes >= previous.minutes', verdict: 'lost' },
  { node: 'longest', from: 'key: department, ties: all', to: 'key: department', verdict: 'lost' },
  { node: 'worst', from: 'of: hospital, every: 1m', to: 'of: hospital, every: 2m', verdict: 'kept' },
  { node: 'worst', from: 'by: minutes, rows: 2', to: 'by: "0 - minutes", rows: 2', verdict: 'lost' },
  { node: 'alarm', from: 'raise: minutes >= 60', to: 'raise: minutes >= 70', verdict: 'kept' },
  { node: 'alarm', from: 'hold: 1m', to: 'hold: 2m', verdict: 'kept' },
  { node: 'alarm', from: 'values: [minutes] }', to: 'values: [minutes, department] }', verdict: 'kept' },
  { node: 'alarm', from: levels, to: 'escalate: { bad: minutes >= 90, severe: minutes >= 110 }', verdict: 'migrated' },
  { node: 'alarm', from: `key: hospital, raise`, to: 'key: department, raise', verdict: 'lost' },
  { node: 'census', from: 'ed-census: { from: adt }', to: 'ed-census: { from: adt, stay: 3d }', verdict: 'kept' },
  { node: 'census', from: 'ed-census: { from: adt }', to: 'ed-census: { from: adt, every: 5m }', verdict: 'migrated' },
  {
    node: 'census',
    from: 'ed-census: { from: adt }',
    to: 'ed-census: { from: adt, revise: 48h }',
    verdict: 'migrated',
  },
  {
    node: 'census',
    from: 'ed-census: { from: adt }',
    to: 'ed-census: { from: adt, departments: [ED, ICU] }',
    verdict: 'lost',
  },
  {
    node: 'ambulances',
    from: 'ambulance-load: { from: centre }',
    to: 'ambulance-load: { from: centre, run: 6h }',
    verdict: 'kept',
  },
  {
    node: 'ambulances',
    from: 'ambulance-load: { from: centre }',
    to: 'ambulance-load: { from: centre, every: 2m }',
    verdict: 'migrated',
  },
  { node: 'newest', from: 'keep: latest, fields', to: 'keep: latest, missing: drop, fields', verdict: 'kept' },
  {
    node: 'newest',
    from: 'keep: latest, fields: [ambulances_on_the_way]',
    to: 'keep: latest, prefix: a_, fields: [ambulances_on_the_way]',
    verdict: 'kept',
  },
  {
    node: 'newest',
    from: 'keep: latest, fields: [ambulances_on_the_way]',
    to: 'keep: latest, fields: [ambulances_on_the_way, ambulances_waiting]',
    verdict: 'lost',
  },
  {
    node: 'until_then',
    from: 'fields: [ambulances_on_the_way], prefix: then_',
    to: 'fields: [ambulances_on_the_way, ambulances_waiting], prefix: then_',
    verdict: 'lost',
  },
  {
    node: 'until_then',
    from: 'before: 90s, until: minute',
    to: 'before: 60s, until: minute',
    verdict: 'kept',
  },
  { node: 'near', from: 'within: { before: 3m, after: 3m }', to: 'within: { before: 1m, after: 5m }', verdict: 'kept' },
  {
    node: 'near',
    from: 'prefix: near_',
    to: 'fields: [minutes], prefix: near_',
    verdict: 'migrated',
    asAllAlong: 'near_rows',
  },
  { node: 'near', from: 'right: some, on: hospital', to: 'right: some, on: id', verdict: 'lost' },
  {
    node: 'ranked',
    from: 'diversions: diversions\n',
    to: 'diversions: diversions\n      best: 2\n',
    verdict: 'kept',
    asAllAlong: 'ranked_rows',
  },
];

const minuteMs = 60_000;
const messages = fixtureMessages();

function originOf(topology: BoundTopology) {
  return { hash: topology.hash, fingerprints: fingerprintsOf(topology), nodes: nodeIdentitiesOf(topology) };
}

/** Rows after the middle: of one version that becomes another there. */
function changedInTheMiddle(before: BoundTopology, after: BoundTopology, later = messages.slice(messagesBefore)) {
  const old = fixtureMachine(before);
  old.feed(messages.slice(0, messagesBefore), 1);
  const snapshot = deserialize(serialize(old.machine.snapshot())) as StageSnapshot;
  const now = fixtureMachine(after);
  now.machine.restore(adoptSnapshot(snapshot, originOf(before), after));
  now.feed(later, messagesBefore + 1);
  now.machine.finish();
  return { rowsBefore: plainRows(old.rows), rows: plainRows(now.rows) };
}

function allAlong(topology: BoundTopology) {
  const { machine, rows, feed } = fixtureMachine(topology);
  feed(messages.slice(0, messagesBefore), 1);
  const before = rows.length;
  feed(messages.slice(messagesBefore), messagesBefore + 1);
  machine.finish();
  return plainRows(rows.slice(before));
}

function variant({ from, to }: Pick<Case, 'from' | 'to'>): BoundTopology {
  expect(fixtureTopology.split(from)).toHaveLength(2);
  // Nodes behind it may name a field that is no more.
  return loadFixture(
    fixtureTopology
      .replace(from, to)
      .replace(
        '{ from: newest, keep: [hospital, minute, census, waiting, ambulances_on_the_way] }',
        '{ from: newest, keep: [hospital, minute, census] }',
      ),
  );
}

const before = loadFixture(
  fixtureTopology.replace(
    '{ from: newest, keep: [hospital, minute, census, waiting, ambulances_on_the_way] }',
    '{ from: newest, keep: [hospital, minute, census] }',
  ),
);

describe('a change in the middle', () => {
  it.each(cases.map((one) => [`${one.node}: ${one.from} to ${one.to}`, one] as const))('%s', (_, one) => {
    const after = variant(one);
    const verdicts = stateVerdicts(originOf(before), after);
    expect(verdicts.get(one.node)?.kind).toBe(one.verdict);
    for (const [node, { kind }] of verdicts) {
      if (node !== one.node && one.verdict !== 'lost') expect(`${node} ${kind}`).toBe(`${node} kept`);
    }
    const { rows } = changedInTheMiddle(before, after);
    if (one.asAllAlong === undefined) return;
    const of = (list: typeof rows) => list.filter(({ sink }) => sink === one.asAllAlong);
    expect(of(rows).length).toBeGreaterThan(0);
    expect(of(rows)).toEqual(of(allAlong(after)));
  });

  it.each([
    ['waits_of_two_departments', 'waits_of_three_departments'],
    ['waits_of_three_departments', 'waits_of_two_departments'],
    ['waits', 'waits_of_two_departments'],
  ])('of the texts that a field may have, %s to %s, loses nothing and is seen in no row', (from, to) => {
    const [old, now] = [from, to].map((of) => loadFixture(fixtureTopology.replace('of: waits }', `of: ${of} }`)));
    const verdicts = stateVerdicts(originOf(old as BoundTopology), now as BoundTopology);
    expect(verdicts.size).toBeGreaterThan(0);
    for (const [node, { kind }] of verdicts) expect(`${node} ${kind}`).toBe(`${node} kept`);
    const { rows } = changedInTheMiddle(old as BoundTopology, now as BoundTopology);
    expect(rows).toEqual(allAlong(now as BoundTopology));
  });

  it('of nothing is seen in no row', () => {
    const { rows } = changedInTheMiddle(before, before);
    expect(rows).toEqual(allAlong(before));
  });

  it('corrects no window that was closed for good before', () => {
    const after = variant({ from: 'tumbling: 5m, lateness: 5m', to: 'tumbling: 5m, lateness: 2h' });
    const time = (messages[messagesBefore]?.time ?? 0) - 25 * minuteMs;
    const late = { id: 'late', hospital: 'H1', minutes: 1, department: 'ED' };
    const later = [{ source: 'waits', origin: 'H1', time, event: late }, ...messages.slice(messagesBefore)];
    const { rowsBefore, rows } = changedInTheMiddle(before, after, later);
    const ends = (list: typeof rows) =>
      list.filter(({ sink }) => sink === 'window_rows').map(({ event }) => Number(event.window_end));
    const floor = Math.max(...ends(rowsBefore)) - 5 * minuteMs;
    expect(time).toBeLessThan(floor);
    expect(ends(rows).filter((end) => end <= floor)).toEqual([]);
    // The lateness of now holds for what was still open.
    expect(ends(rows).length).toBeGreaterThan(0);
  });

  it('corrects no picture of a time of which visits were forgotten', () => {
    const short = loadFixture(
      fixtureTopology.replace('ed-census: { from: adt }', 'ed-census: { from: adt, revise: 10m }'),
    );
    const long = loadFixture(
      fixtureTopology.replace('ed-census: { from: adt }', 'ed-census: { from: adt, revise: 48h }'),
    );
    const time = (messages[messagesBefore]?.time ?? 0) - 40 * minuteMs;
    const facts = { kind: 'arrival', hospital: 'H1', visit_id: 'late', patient_class: 'E', department: 'ED' };
    const event = { ...facts, occurred_at: time, deleted_fields: [] };
    const later = [{ source: 'adt', origin: 'H1', time, event }, ...messages.slice(messagesBefore)];
    const { rowsBefore, rows } = changedInTheMiddle(short, long, later);
    const minutes = (list: typeof rows) =>
      list
        .filter(({ sink, event: row }) => sink === 'newest_rows' && row.hospital === 'H1')
        .map((row) => Number(row.event.minute));
    const floor = Math.max(...minutes(rowsBefore)) - 10 * minuteMs;
    expect(Math.min(...minutes(rows))).toBeGreaterThanOrEqual(floor);
    expect(Math.min(...minutes(rows))).toBeLessThan(floor + 10 * minuteMs);
  });

  it('keeps open alerts, with their levels by name', () => {
    const after = variant({ from: levels, to: 'escalate: { bad: minutes >= 90, severe: minutes >= 110 }' });
    const { rowsBefore, rows } = changedInTheMiddle(before, after);
    const alerts = (list: typeof rows) => list.filter(({ sink }) => sink === 'alarm_rows').map(({ event }) => event);
    const open = new Map(alerts(rowsBefore).map((row) => [row.alert_id, row]));
    const first = new Map(
      alerts(rows)
        .toReversed()
        .map((row) => [row.alert_id, row]),
    );
    const going = [...open].filter(([, { state }]) => state !== 'cleared');
    expect(going.length).toBeGreaterThan(0);
    for (const [id, row] of going) {
      const next = first.get(id);
      expect(next?.state).not.toBe('raised');
      if (row.level === 'severe' && next) expect(next.level).toBe('severe');
    }
  });

  it('gives pictures at the steps of the new version', () => {
    const after = variant({ from: 'ed-census: { from: adt }', to: 'ed-census: { from: adt, every: 5m }' });
    const { rows } = changedInTheMiddle(before, after);
    const minutes = rows.filter(({ sink }) => sink === 'newest_rows').map(({ event }) => Number(event.minute));
    expect(minutes.length).toBeGreaterThan(0);
    expect(minutes.filter((minute) => minute % 300_000 !== 0)).toEqual([]);
    const of = (list: typeof rows) =>
      list.filter(({ sink, event }) => sink === 'newest_rows' && Number(event.minute) > Number(minutes[0]));
    expect(of(rows).at(-1)).toEqual(of(allAlong(after)).at(-1));
  });
});
