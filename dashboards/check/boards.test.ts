/** The boards over two days of a small city: every query of every board runs, within bounds, and shows what it should; the generated files are right. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wallTime } from '../../runtime/clock.ts';
import { startTestStore, type TestStore } from '../../runtime/testing/with-store.ts';
import { boards } from '../boards/index.ts';
import { renderBoard } from '../kit/render.ts';
import { fillCity } from '../sample/city.ts';
import { bedlessHospital, silentHospitals } from '../sample/departments.ts';
import { checkLimits } from './limits.ts';
import { type BoardQuery, type QueryRun, queriesOf, runQuery } from './run-queries.ts';
import { staticProblems } from './static.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** The last ten o'clock in the morning of the city. */
const end = Math.floor((wallTime() - 3 * hourMs) / dayMs) * dayMs + 3 * hourMs;
const city = { hospitals: 24, callsPerDay: 400, units: 30, days: 2, end } as const;

const dashboards = boards.map((board) => renderBoard(board, 'vi'));
const queries = dashboards.flatMap(queriesOf);

function queryOf(board: string, panel: string): BoardQuery {
  const found = queries.find((query) => query.board === board && query.panel === panel);
  if (!found) throw new Error(`${board} has no panel ${panel}`);
  return found;
}

describe('boards', () => {
  let test: TestStore;
  beforeAll(async () => {
    test = await startTestStore();
    await fillCity(test.store, city);
  }, 240_000);
  afterAll(() => test.stop());

  const run = (query: BoardQuery, backMs: number, chosen?: Record<string, string[]>): Promise<QueryRun> =>
    runQuery(test.store, query, { from: end - backMs, to: end, ...(chosen && { chosen }) });
  const rowsOf = async (board: string, panel: string) => {
    const { rows, problem } = await run(queryOf(board, panel), 6 * hourMs);
    expect(problem).toBeUndefined();
    return rows;
  };

  it('are linted, fit the schema of Classic JSON, and are what is committed', () => {
    expect(staticProblems()).toEqual([]);
  });

  it.each([
    ['six hours, by minutes', 6 * hourMs],
    ['two days, by quarters of an hour', 2 * dayMs],
  ])(
    'have no query that fails, is empty or reads without bound over %s',
    { timeout: 120_000 },
    async (_name, backMs) => {
      for (const query of queries) {
        const { problem, rows, rowsRead } = await run(query, backMs);
        const place = `${query.board}: ${query.panel}`;
        expect(problem, place).toBeUndefined();
        expect(rows.length, place).toBeGreaterThan(0);
        expect(rowsRead, place).toBeLessThanOrEqual(checkLimits.rowsReadMax);
      }
    },
  );

  it('show a hospital that says nothing as silent, and one without a bed file as not known', async () => {
    const rows = await rowsOf('mach-emergency', 'Từng bệnh viện lúc này, nặng nhất ở trên');
    expect(rows).toHaveLength(city.hospitals);
    const levels = new Map(rows.map(({ hospital, level }) => [hospital, level]));
    expect(silentHospitals.map((number) => levels.get(`H${number}`))).toEqual([0, 0]);
    expect(levels.get(`H${bedlessHospital}`)).toBeNull();
    const [counts] = await rowsOf('mach-wall', 'Khoa cấp cứu theo mức');
    expect(counts).toMatchObject({ silent: 2, not_known: 1 });
    const total = Object.values(counts ?? {}).reduce((sum: number, count) => sum + Number(count), 0);
    expect(total).toBe(city.hospitals);
  });

  it('count as a plain query does', async () => {
    const [shown] = await rowsOf('mach-emergency', 'Toàn thành phố');
    const [plain] = await test.store.query<{ census: number }>(
      `SELECT toInt64(sum(census)) AS census FROM ed_status FINAL WHERE minute = fromUnixTimestamp64Milli(${end - 60_000}) AND hospital NOT IN ('H7', 'H23')`,
    );
    expect(shown?.census).toBe(plain?.census);
    const { rows } = await run(queryOf('mach-115', 'Cuộc gọi trong khoảng thời gian'), dayMs);
    expect(rows[0]?.calls).toBe(city.callsPerDay);
  });

  it('show only the hospitals that are chosen', async () => {
    const query = queryOf('mach-emergency', 'Từng bệnh viện lúc này, nặng nhất ở trên');
    const { rows } = await run(query, 6 * hourMs, { hospital: ['H1', 'H2'] });
    expect(rows.map(({ hospital }) => hospital).sort()).toEqual(['H1', 'H2']);
  });

  it('never show silence as something good: with nothing in the range every age is absent', async () => {
    const past = end - 40 * dayMs;
    const { rows } = await runQuery(test.store, queryOf('mach-wall', 'Tuổi của tin mới nhất'), {
      from: past - dayMs,
      to: past,
    });
    expect(rows).toEqual([{ centre: null, adt: null, beds: null, engine: null }]);
    const silent = await runQuery(test.store, queryOf('mach-wall', 'Bệnh viện im lặng'), {
      from: past - dayMs,
      to: past,
    });
    expect(silent.rows).toEqual([{ adt: city.hospitals - 1, beds: city.hospitals - 1 }]);
  });
});
