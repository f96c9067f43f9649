import fc from 'fast-check';
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Event, Frame, Schema } from '../../runtime/stream/index.ts';
import { Ledger } from '../../runtime/stream/ledger.ts';
import { OperatorRunner } from '../../runtime/stream/operator-runner.ts';
import {
  at,
  BindProblems,
  bindOperator,
  expectSameForAnyCut,
  operatorRun,
  type Step,
  watermark,
} from '../../runtime/testing/operator-harness.ts';
import { restartedRun } from '../../runtime/testing/restarted-run.ts';
import { alert } from './alert.ts';

const secondMs = 1_000;
const schema: Schema = {
  fields: {
    hospital: { type: { kind: 'string' }, nullable: true },
    wait: { type: { kind: 'int' }, privacy: 'health' },
  },
};
const actions: Schema = {
  fields: {
    alert_id: { type: { kind: 'string' }, nullable: true },
    hospital: { type: { kind: 'string' }, nullable: true },
    action: { type: { kind: 'string' } },
    by: { type: { kind: 'string' }, nullable: true },
    to: { type: { kind: 'string' }, nullable: true },
    note: { type: { kind: 'string' }, nullable: true },
  },
};

const base = {
  from: 'waiting',
  key: 'hospital',
  raise: 'wait > 240',
  escalate: { serious: 'wait > 300', grave: 'wait > 400' },
  hold: '5s',
  escalate_hold: '3s',
  clear: 'wait < 180',
  clear_hold: '2s',
  remind: '7s',
};

const alertRun = (options: object = {}) =>
  operatorRun({
    definition: alert,
    options: { ...base, actions: 'people', ...options },
    schema: { from: schema, actions },
  });

/** Times are whole seconds, so that the reference can look at every second. */
const steps: fc.Arbitrary<readonly Step[]> = fc
  .array(
    fc.record({
      hospital: fc.constantFrom('H1', 'H1', 'H2', null),
      wait: fc.constantFrom(100, 179, 200, 241, 250, 301, 401),
      gap: fc.nat({ max: 6 }),
      behind: fc.constantFrom(0, 0, 0, 1, 8),
      mark: fc.boolean(),
    }),
    { maxLength: 50 },
  )
  .map((draws) => {
    const list: Step[] = [];
    let now = 1_000;
    for (const { hospital, wait, gap, behind, mark } of draws) {
      now += gap;
      list.push(at((now - behind) * secondMs, { hospital, wait }, 'from'));
      if (mark) list.push(watermark((now - 4) * secondMs));
    }
    return list;
  });

interface Row {
  readonly key: string;
  readonly state: string;
  readonly at: number;
  readonly severity: number;
  readonly held: number;
}

/** Looks at every second from the first event on, with a plain count of how long each condition has held. */
function reference(list: readonly Step[], reminds: boolean): { rows: Row[]; late: number; older: number } {
  const accepted = new Map<string, { time: number; wait: number }[]>();
  let mark = Number.NEGATIVE_INFINITY;
  let late = 0;
  let older = 0;
  for (const step of list) {
    if (step.kind === 'watermark') {
      mark = Math.max(mark, step.time);
      continue;
    }
    if (step.time < mark) {
      late++;
      continue;
    }
    const { hospital: key, wait } = step.event as { hospital: string | null; wait: number };
    if (key === null) continue;
    const events = accepted.get(key) ?? [];
    accepted.set(key, events);
    if (step.time < (events.at(-1)?.time ?? 0)) older++;
    else events.push({ time: step.time, wait });
  }
  const rows = [...accepted].flatMap(([key, events]) => referenceOfKey(key, events, reminds));
  return { rows, late, older };
}

function referenceOfKey(key: string, events: readonly { time: number; wait: number }[], reminds: boolean): Row[] {
  const rows: Row[] = [];
  const begin = events[0]?.time ?? 0;
  const end = (events.at(-1)?.time ?? 0) + 60 * secondMs;
  let wait = 0;
  let raisedAt = -1;
  let severity = 0;
  let trouble = -1;
  const since = { raise: -1, serious: -1, grave: -1, clear: -1 };
  let said = 0;
  const say = (state: string, now: number, held: number) => {
    rows.push({ key, state, at: now, severity, held });
    said = now;
  };
  const changes = (now: number) => {
    if (raisedAt < 0 && since.raise >= 0 && now - since.raise >= 5 * secondMs) {
      raisedAt = now;
      trouble = since.raise;
      severity = 1;
      since.raise = -1;
      since.clear = -1;
      say('raised', now, now - trouble);
    }
    if (raisedAt < 0) return;
    if (since.clear >= 0 && now - since.clear >= 2 * secondMs) {
      raisedAt = -1;
      say('cleared', now, now - trouble);
      return;
    }
    const grave = since.grave >= 0 && now - since.grave >= 3 * secondMs;
    const serious = since.serious >= 0 && now - since.serious >= 3 * secondMs;
    const reached = grave ? 3 : serious ? 2 : 1;
    if (reached > severity) {
      severity = reached;
      say('escalated', now, now - trouble);
    }
    if (reminds && now - said === 7 * secondMs) say('reminded', now, now - trouble);
  };
  for (let now = begin; now <= end; now += secondMs) {
    if (now > (events.at(-1)?.time ?? 0) && reminds) break;
    changes(now);
    for (const event of events.filter(({ time }) => time === now)) {
      wait = event.wait;
      const note = (name: keyof typeof since, holds: boolean) => {
        since[name] = holds ? (since[name] < 0 ? now : since[name]) : -1;
      };
      if (raisedAt < 0) note('raise', wait > 240);
      else note('clear', wait < 180);
      note('serious', wait > 300);
      note('grave', wait > 400);
      changes(now);
    }
  }
  return rows;
}

function rowsOf(emitted: readonly Event[]): Row[] {
  return emitted.map((row) => ({
    key: row.hospital as string,
    state: row.state as string,
    at: row.at as number,
    severity: row.severity as number,
    held: row.held_ms as number,
  }));
}

const ofKey = (rows: readonly Row[], key: string) => rows.filter((row) => row.key === key);

describe('alert', () => {
  it('agrees with a look at every second', () => {
    const { remind: _, ...withoutRemind } = base;
    const run = operatorRun({ definition: alert, options: withoutRemind, schema });
    fc.assert(
      fc.property(steps, (list) => {
        const expected = reference(list, false);
        const result = run(list);
        const rows = rowsOf(result.events());
        for (const key of ['H1', 'H2']) expect(ofKey(rows, key)).toEqual(ofKey(expected.rows, key));
        expect(result.accounting.late).toBe(expected.late);
        expect(result.accounting.dropped_by_reason['older than its alert'] ?? 0).toBe(expected.older);
      }),
      { numRuns: 400 },
    );
  });

  it('agrees with it when it reminds, up to the last event of a key', () => {
    const run = operatorRun({ definition: alert, options: base, schema });
    fc.assert(
      fc.property(steps, (list) => {
        const expected = reference(list, true);
        const rows = rowsOf(run(list, { finish: false }).events());
        for (const key of ['H1', 'H2']) {
          const wanted = ofKey(expected.rows, key);
          expect(ofKey(rows, key).slice(0, wanted.length)).toEqual(wanted);
        }
      }),
    );
  });

  it('takes the number and the text of a key of any shape for two, also where someone acts', () => {
    const json: Schema = { fields: { ward: { type: { kind: 'json' } }, wait: { type: { kind: 'int' } } } };
    const options = { from: 'waiting', key: 'ward', raise: 'wait > 240', actions: 'people' };
    const run = operatorRun({ definition: alert, options, schema: { from: json, actions } });
    const raised = [at(0, { ward: 1, wait: 250 }), at(0, { ward: '1', wait: 250 })];
    const ids = run(raised)
      .events()
      .map((event) => event.alert_id);
    expect(new Set(ids).size).toBe(2);
    const nothing = { hospital: null, by: null, to: null, note: null };
    const acts = ids.map((id) => at(1_000, { ...nothing, alert_id: id, action: 'acknowledge' }, 'actions'));
    const rows = run([...raised, ...acts])
      .events()
      .slice(2);
    expect(rows.map(({ ward, state }) => [ward, state])).toEqual([
      [1, 'acknowledged'],
      ['1', 'acknowledged'],
    ]);
  });

  it('is the same for any cut and crash, with actions between', () => {
    const action = fc.record({
      position: fc.nat({ max: 60 }),
      event: fc.record({
        alert_id: fc.constant(null),
        hospital: fc.constantFrom('H1', 'H2'),
        action: fc.constantFrom('acknowledge', 'assign', 'note', 'sing'),
        by: fc.constantFrom('Nguyễn Văn Thử', null),
        to: fc.constantFrom('Trần Thị Thử', null),
        note: fc.constantFrom('đã gọi', null),
      }),
    });
    const mixed = fc.tuple(steps, fc.array(action, { maxLength: 8 })).map(([list, acts]) => {
      const all = [...list];
      for (const { position, event } of acts) {
        const index = Math.min(position, all.length);
        all.splice(index, 0, at(all[index]?.time ?? 1_000_000, event, 'actions'));
      }
      return all as readonly Step[];
    });
    expectSameForAnyCut(alertRun(), mixed, { runs: 250 });
  });

  it('raises on time although no event comes, and not when the last one was below', () => {
    const run = alertRun({ escalate: {} });
    const high = [at(0, { hospital: 'H1', wait: 250 }, 'from')];
    expect(run([...high, watermark(4_999)], { finish: false }).events()).toEqual([]);
    const raised = run([...high, watermark(5_000)], { finish: false });
    expect(raised.ports.out).toMatchObject([{ time: 5_000, event: { state: 'raised', at: 5_000, held_ms: 5_000 } }]);
    const interrupted = [...high, at(4_000, { hospital: 'H1', wait: 240 }, 'from'), watermark(60_000)];
    expect(run(interrupted).events()).toEqual([]);
  });

  it('says what people do, stops reminding once acknowledged, and knows no alert that is closed', () => {
    const high = at(0, { hospital: 'H1', wait: 250 }, 'from');
    const nothing = { alert_id: null, hospital: null, by: null, to: null, note: null };
    const id = 'under-test/H1/1970-01-01T00:00:05.000Z';
    const result = alertRun()([
      high,
      watermark(12_000),
      at(12_500, { ...nothing, alert_id: id, action: 'acknowledge', by: 'Nguyễn Văn Thử' }, 'actions'),
      at(12_600, { ...nothing, hospital: 'H1', action: 'assign', to: 'Trần Thị Thử' }, 'actions'),
      at(3_000, { ...nothing, alert_id: id, action: 'note', note: 'đã gọi khoa' }, 'actions'),
      at(12_700, { ...nothing, hospital: 'H1', action: 'sing' }, 'actions'),
      at(12_800, { ...nothing, hospital: 'H2', action: 'note' }, 'actions'),
      watermark(40_000),
      at(41_000, { hospital: 'H1', wait: 10 }, 'from'),
      watermark(50_000),
      at(50_000, { ...nothing, alert_id: id, action: 'acknowledge' }, 'actions'),
    ]);
    const said = result
      .events()
      .map((row) => [
        row.state,
        row.at,
        row.acknowledged_by,
        row.assigned_to,
        row.reason,
        row.action_by,
        row.action_note,
      ]);
    const person = 'Nguyễn Văn Thử';
    const raised = 'wait > 240: wait 250';
    expect(said).toEqual([
      ['raised', 5_000, null, null, raised, null, null],
      ['reminded', 12_000, null, null, raised, null, null],
      ['acknowledged', 12_500, person, null, raised, person, null],
      ['assigned', 12_600, person, 'Trần Thị Thử', raised, null, null],
      ['noted', 3_000, person, 'Trần Thị Thử', raised, null, 'đã gọi khoa'],
      ['cleared', 43_000, person, 'Trần Thị Thử', 'wait < 180: wait 10', null, null],
    ]);
    expect(result.ports.out?.map(({ time }) => time)).toEqual([5_000, 12_000, 12_500, 12_600, 12_000, 43_000]);
    expect(result.accounting.dropped_by_reason).toEqual({ 'not an action': 1, 'no such alert': 2 });
  });

  it('clears when `raise` is not true any more, where no other condition is given', () => {
    const { clear: _, ...withoutClear } = base;
    const options = { ...withoutClear, hold: '0s', clear_hold: '0s' };
    const run = operatorRun({ definition: alert, options, schema });
    const result = run([at(0, { hospital: 'H1', wait: 241 }), at(1_000, { hospital: 'H1', wait: 240 })]);
    expect(result.events()).toMatchObject([
      { state: 'raised', at: 0 },
      { state: 'cleared', at: 1_000, reason: 'not (wait > 240): wait 240' },
    ]);
  });

  it('does not clear while `raise` is true', () => {
    const options = { ...base, hold: '0s', clear: 'wait < 300', clear_hold: '0s' };
    const run = operatorRun({ definition: alert, options, schema });
    const waits = [250, 260, 250, 240];
    const result = run(waits.map((wait, second) => at(second * 1_000, { hospital: 'H1', wait })));
    expect(result.events()).toMatchObject([
      { state: 'raised', at: 0 },
      { state: 'cleared', at: 3_000, reason: 'wait < 300: wait 240' },
    ]);
  });

  it('keeps nothing of a key at rest', () => {
    const { bound } = bindOperator({ definition: alert, options: base, schema });
    const runner = new OperatorRunner({ node: 'n', bound, inputs: ['from'], ledger: new Ledger() });
    const frames = new Subject<Frame>();
    runner.connect('from', frames);
    const send = (time: number, wait: number) =>
      frames.next({ kind: 'batch', events: [{ hospital: 'H1', wait }], times: [time], causes: [-1] });
    send(0, 250);
    frames.next({ kind: 'watermark', time: 60_000, idle: false });
    expect(runner.stateKeys).toBe(2);
    send(60_000, 1);
    frames.next({ kind: 'watermark', time: 70_000, idle: false });
    expect(runner.stateKeys).toBe(0);
  });

  it('carries the privacy tags of what a reason tells', () => {
    const { bound } = bindOperator({ definition: alert, options: base, schema });
    expect(bound.ports.out?.fields.reason?.privacy).toBe('health');
    expect(bound.ports.out?.fields.alert_id?.privacy).toBeUndefined();
    expect(bound.ports.out?.fields.acknowledged_by?.privacy).toBe('quasi');
  });

  it.each([
    ['a key that is not a field', { key: 'ward' }, 'is not a field'],
    ['a value that is not a field', { values: ['beds'] }, 'is not a field'],
    ['a condition that is a number', { raise: 'wait' }, 'raise'],
    ['a level that is not a condition', { escalate: { grave: 'beds > 1' } }, 'beds'],
    ['actions that name no alert', { actions: 'from' }, 'has no field action'],
  ])('says what is wrong: %s', (_, extra, message) => {
    const schemas =
      'actions' in extra ? { from: schema, actions: { fields: { wait: schema.fields.wait as never } } } : schema;
    const bind = () => bindOperator({ definition: alert, options: { ...base, ...extra }, schema: schemas });
    expect(bind).toThrow(BindProblems);
    expect(bind).toThrow(message);
  });

  it.each([
    ['shorter', '5m', '1m', 60_000],
    ['longer', '1m', '5m', 300_000],
  ])('raises in time with a hold that has become %s, without another event', (_, old, now, raised) => {
    const bind = (hold: string) =>
      bindOperator({
        definition: alert,
        options: { from: 'waiting', key: 'hospital', raise: 'wait > 240', hold },
        schema,
      }).bound;
    const before = [at(0, { hospital: 'H1', wait: 250 }), watermark(30_000)];
    const after = [watermark(raised - 1_000), watermark(raised + 1_000)];
    const given = restartedRun([bind(old), before], [bind(now), after]);
    expect(given.map(({ event, time }) => [event.state, event.at, time])).toEqual([['raised', raised, raised]]);
  });

  it('refuses a field that every alert has of its own', () => {
    const fields = { ...schema.fields, state: { type: { kind: 'string' as const } } };
    const bind = () => bindOperator({ definition: alert, options: { ...base, values: ['state'] }, schema: { fields } });
    expect(bind).toThrow('every alert has a field state of its own');
  });
});
