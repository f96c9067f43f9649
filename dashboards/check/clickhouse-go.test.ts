/** The embedded store as Grafana sees it: through clickhouse-go over HTTP, the driver of its ClickHouse plugin. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wallTime } from '../../runtime/clock.ts';
import { startTestStore, type TestStore } from '../../runtime/testing/with-store.ts';
import { boards } from '../boards/index.ts';
import { renderBoard } from '../kit/render.ts';
import { fillCity } from '../sample/city.ts';
import { expandQuery } from './expand.ts';
import { intervalOf, queriesOf } from './run-queries.ts';

const execute = promisify(execFile);
const source = fileURLToPath(new URL('./go-driver/', import.meta.url));
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const end = Math.floor((wallTime() - 3 * hourMs) / dayMs) * dayMs + 3 * hourMs;

interface Answer {
  readonly columns: readonly string[] | null;
  readonly types: readonly string[] | null;
  readonly rows: readonly (readonly unknown[])[] | null;
  readonly error?: string;
}

const goVersion = await execute('go', ['version']).then(
  ({ stdout }) => stdout.trim(),
  () => undefined,
);

describe('clickhouse-go on the embedded store', () => {
  let test: TestStore | undefined;
  let folder: string;

  beforeAll(async () => {
    if (goVersion === undefined) return;
    folder = await mkdtemp(join(tmpdir(), 'mach-go-'));
    // The first time it fetches the modules that go.sum pins, and compiles them.
    await execute('go', ['build', '-mod=readonly', '-o', join(folder, 'driver'), '.'], { cwd: source });
    test = await startTestStore();
  }, 600_000);
  afterAll(async () => {
    await test?.stop();
    if (folder) await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
  });

  async function ask(queries: readonly string[]): Promise<Answer[]> {
    const address = new URL(test?.store.url ?? '').host;
    const { stdout } = await execute(join(folder, 'driver'), [address, ...queries], { maxBuffer: 64 * 1024 * 1024 });
    return JSON.parse(stdout) as Answer[];
  }

  it('reads every type that tables have, and errors as errors', async (context) => {
    if (!test) return context.skip('Go is not installed: the driver of Grafana is not tried');
    const [types, failed] = await ask([
      `SELECT 'Bệnh viện Thử nghiệm' AS text, toLowCardinality('H1') AS code, CAST(NULL AS LowCardinality(Nullable(String))) AS nothing, toInt64(-3) AS count,
        toFloat64(1.5) AS score, CAST(NULL AS Nullable(Float64)) AS unknown, true AS yes, ['ed_beds'] AS missing,
        toDateTime64('2026-03-02 00:06:00.250', 3, 'UTC') AS at, CAST(toDateTime64('2026-03-02 00:06:00', 3, 'UTC') AS Nullable(DateTime64(3, 'UTC'))) AS maybe`,
      'SELECT nothing FROM nowhere',
    ]);
    expect(types?.error).toBeUndefined();
    expect(types?.columns).toEqual([
      'text',
      'code',
      'nothing',
      'count',
      'score',
      'unknown',
      'yes',
      'missing',
      'at',
      'maybe',
    ]);
    expect(types?.rows).toEqual([
      [
        'Bệnh viện Thử nghiệm',
        'H1',
        null,
        -3,
        1.5,
        null,
        true,
        ['ed_beds'],
        '2026-03-02T00:06:00.25Z',
        '2026-03-02T00:06:00Z',
      ],
    ]);
    expect(failed?.error).toMatch(/UNKNOWN_TABLE|nowhere/);
  });

  it('reads every panel of every board with the rows that our own client reads', {
    timeout: 240_000,
  }, async (context) => {
    if (!test) return context.skip('Go is not installed: the driver of Grafana is not tried');
    const { store } = test;
    await fillCity(store, { hospitals: 12, callsPerDay: 200, units: 10, days: 1, end });
    const range = { from: end - 6 * hourMs, to: end };
    const queries = boards
      .flatMap((board) => queriesOf(renderBoard(board, 'vi')))
      .map(({ board, panel, sql }) => ({
        place: `${board}: ${panel}`,
        sql: expandQuery(sql, { ...range, intervalMs: intervalOf(range) }),
      }));
    const answers = await ask(queries.map(({ sql }) => sql));
    for (const [index, { place, sql }] of queries.entries()) {
      expect(answers[index]?.error, place).toBeUndefined();
      const own = await store.query(sql);
      expect(answers[index]?.rows?.length, place).toBe(own.length);
      expect(answers[index]?.columns, place).toEqual(Object.keys(own[0] ?? {}));
    }
  });
});
