/**
 * An engine process that starts while its store is down: it takes in, says what is missing, and writes once the store is back. A table
 * that is refused then keeps its own sink alone.
 */
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { systemClock } from '../runtime/clock.ts';
import { connectStore, startEmbeddedStore } from '../runtime/store/index.ts';
import { withNats } from '../runtime/testing/with-nats.ts';
import { type EngineProcess, startEngineProcess, statusOf } from './engine-process.ts';
import { runMach } from './run-mach.ts';

const topology = `
version: 1
name: away
sources:
  files:
    file-drop:
      folder: "\${env:AWAY_FILES}"
      format: csv
      schema: { id: string, hospital: string, at: timestamp }
      time: at
      origin: hospital
      settle: 100ms
      scan: 200ms
sinks:
  away_rows:
    clickhouse: { from: files, table: away_rows, order_by: [hospital, id] }
  away_refused:
    clickhouse: { from: files, table: away_refused, order_by: [hospital, id] }
`;

async function until<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found) return found;
    await sleep(50);
  }
}

async function reasonsOf(run: EngineProcess): Promise<string[]> {
  const ready = (await (await fetch(`${run.observeUrl}/readyz`)).json()) as { reasons: string[] };
  return ready.reasons;
}

it(
  'starts, takes in and writes later; a table that is refused then is loud, and harms no other',
  { timeout: 240_000 },
  () =>
    withNats(async ({ url }) => {
      const directory = await mkdtemp(join(tmpdir(), 'mach-away-'));
      const [inbox, file, folder] = [join(directory, 'inbox'), join(directory, 'away.yaml'), join(directory, 'store')];
      await mkdir(inbox);
      await writeFile(file, topology);
      let embedded = await startEmbeddedStore({ directory: folder });
      const store = await connectStore({ url: embedded.url, clock: systemClock() });
      const port = Number(new URL(embedded.url).port);
      const env = { AWAY_FILES: inbox, NATS_URL: url, CLICKHOUSE_URL: embedded.url };
      const count = async (table: string) =>
        (await store.query<{ rows: number }>(`SELECT toInt32(count()) AS rows FROM ${table}`))[0]?.rows;
      const drop = async (id: string) => {
        await writeFile(join(inbox, `${id}.part`), `id,hospital,at\n${id},BV-1,${new Date().toISOString()}\n`);
        await rename(join(inbox, `${id}.part`), join(inbox, `${id}.csv`));
      };
      let run: EngineProcess | undefined;
      try {
        await store.command(
          'CREATE TABLE away_refused (id Int8, hospital String) ENGINE = MergeTree ORDER BY hospital',
        );
        await embedded.stop();
        const asked = await runMach(['check', file, '--connect'], env);
        expect([asked.code, asked.output]).toEqual([
          1,
          expect.stringMatching(/MACH1254 .*sink "away_rows" cannot be reached: the store did not answer/),
        ]);

        run = await startEngineProcess([file, '--data', join(directory, 'data')], env);
        await drop('a');
        // It is acknowledged: its file goes where those go that are in the log.
        await until(
          async () => (await statusOf(run as EngineProcess)).nodes.find(({ id }) => id === 'files')?.in === 1,
        );
        const down = await reasonsOf(run);
        for (const sink of ['away_rows', 'away_refused'])
          expect(down.join('\n')).toMatch(
            new RegExp(`sink ${sink}: MACH3109 the store did not answer.*tried \\d+ times`),
          );

        embedded = await startEmbeddedStore({ directory: folder, port });
        await until(async () => (await count('away_rows').catch(() => 0)) === 1);
        const refused = await until(async () => {
          const reasons = await reasonsOf(run as EngineProcess);
          return reasons.length === 1 && /^sink away_refused: MACH310[14] /.test(reasons[0] ?? '') && reasons;
        });
        expect(refused).toHaveLength(1);
        await drop('b');
        await until(async () => (await count('away_rows')) === 2);

        await store.command('DROP TABLE away_refused SYNC');
        await until(async () => (await count('away_refused').catch(() => 0)) === 2);
        expect(await reasonsOf(run)).toEqual([]);
        expect(await count('away_rows')).toBe(2);
        expect((await runMach(['check', file, '--connect'], env)).code).toBe(0);
        expect(await run.stop()).toBe(0);
      } finally {
        await run?.kill();
        await store.close();
        await embedded.stop();
        await rm(directory, { recursive: true, force: true, maxRetries: 5 });
      }
    }),
);
