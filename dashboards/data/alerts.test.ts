/** What boards say of an alert that somebody acts on while the engine changes it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TableSpec } from '../../runtime/store/store.ts';
import type { Event } from '../../runtime/stream/schema.ts';
import { startTestStore, type TestStore } from '../../runtime/testing/with-store.ts';
import { expandQuery } from '../check/expand.ts';
import { loadEmergencyTopology, makeTables } from '../sample/city.ts';
import { alertsNow } from './alerts.ts';

const minuteMs = 60_000;
const raisedAt = Date.parse('2026-03-02T08:00:00+07:00');

let test: TestStore;
beforeAll(async () => {
  test = await startTestStore();
  await makeTables(test.store);
});
afterAll(() => test.stop());

/** `[state, minute, severity, acknowledgedBy]`, as the engine says them one after the other. */
async function asShown(
  id: string,
  told: readonly (readonly [string, number, number, string | null])[],
): Promise<Record<string, unknown> | undefined> {
  const tables = loadEmergencyTopology().sinks.flatMap(({ bound }) => bound.tables ?? []);
  const table = tables.find(({ name }) => name === 'alerts') as TableSpec;
  const empty = Object.fromEntries(
    Object.entries(table.schema.fields).map(([name, { type, nullable }]) => [
      name,
      nullable ? null : type.kind === 'string' ? '' : type.kind === 'list' ? [] : 0,
    ]),
  );
  const events = told.map(
    ([state, minute, severity, by]): Event => ({
      ...empty,
      alert_id: id,
      hospital: 'H8',
      state,
      severity,
      at: raisedAt + minute * minuteMs,
      raised_at: raisedAt,
      acknowledged_by: by,
    }),
  );
  const origins = told.map((_, index) => ({ stage: 's1', partition: 0, sequence: 100 + index, index: 0 }));
  await test.store.insert(table, { events, origins }, id);
  const sql = `SELECT state, severity, acknowledged_by FROM (${alertsNow}) WHERE alert_id = '${id}'`;
  const range = { from: raisedAt, to: raisedAt + 60 * minuteMs, intervalMs: 1_000 };
  return (await test.store.query(expandQuery(sql, range)))[0];
}

// The feed is some minutes behind: what it says of the eighth minute is known in the eleventh.
it.each([
  ['cleared', 1, { state: 'cleared', severity: 1 }],
  ['escalated', 2, { state: 'escalated', severity: 2 }],
])(
  'an alert that was %s before somebody took it, and this is known only then, stands so',
  async (state, severity, stands) => {
    const by = 'Nguyễn Văn Thử';
    const shown = await asShown(`crowding/H8/${state}`, [
      ['raised', 0, 1, null],
      ['acknowledged', 10, 1, by],
      [state, 8, severity, by],
    ]);
    expect(shown).toEqual({ ...stands, acknowledged_by: by });
  },
);
