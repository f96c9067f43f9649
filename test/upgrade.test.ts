/**
 * The main job is changed twice while six hospitals and the 115 centre send over real sockets: once it is told to while it runs, once it
 * is killed in the middle of being told. Afterwards the store holds what happened, and nobody's connection was lost by the first.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { findRan, findRuns } from '../runtime/cli/run-file.ts';
import { systemClock } from '../runtime/clock.ts';
import { connectStore } from '../runtime/store/index.ts';
import { isBalanced } from '../runtime/stream/ledger.ts';
import { simulateCity } from '../simulator/city/index.ts';
import { command, freePort, startEngineProcess, untilComputed } from './engine-process.ts';
import { ownTopology } from './own-topology.ts';

const minuteMs = 60_000;
const start = Date.parse('2026-03-02T10:00:00+07:00');
const durationMs = 30 * minuteMs;

it('changes the main job while it runs, and loses nothing when it dies on the way', { timeout: 300_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'mach-upgrade-'));
  const inbox = join(directory, 'inbox');
  await mkdir(inbox);
  const [hl7, feed] = [await freePort(), await freePort()];
  const env = { MACH_HL7: String(hl7), MACH_FEED: String(feed), MACH_ACTIONS: '0', MACH_BED_FILES: inbox };
  const first = await ownTopology('topologies/emergency-overload.yaml', directory);
  const text = await readFile(first, 'utf8');
  const [second, third] = [join(directory, 'second.yaml'), join(directory, 'third.yaml')];
  await writeFile(second, text.replace('raise: level >= 3', 'raise: level >= 2').replace('hold: 5m', 'hold: 3m'));
  const lossy = join(directory, 'lossy.yaml');
  await writeFile(lossy, text.replace('departments: [ED]', 'departments: [ED, ICU]'));
  // Another branch, and a table of its own.
  const branch = '  busy:\n    filter: { from: overload, when: level >= 2 }\n\n  calls:';
  const table =
    'sinks:\n  busy_status:\n    clickhouse: { from: busy, table: busy_status, order_by: [hospital, minute], rows: latest }';
  await writeFile(third, (await readFile(second, 'utf8')).replace('  calls:', branch).replace('sinks:', table));
  const data = join(directory, 'data');
  const clock = ['--clock-rate', '60', '--clock-start', new Date(start + durationMs).toISOString()];
  const launch = (file: string) => startEngineProcess([file, '--data', data, ...clock], env);
  let engine = await launch(first);
  const idle = connect(hl7, '127.0.0.1');
  let closed = 0;
  idle.on('close', () => closed++).on('error', () => undefined);
  try {
    let sent = 0;
    const city = simulateCity({
      seed: 11,
      hospitals: 6,
      scenario: 'surge',
      start,
      durationMs,
      speed: 'max',
      targets: { hl7: `127.0.0.1:${hl7}`, feed: `127.0.0.1:${feed}`, beds: inbox },
      onEvent: () => {
        sent++;
      },
    });
    while (sent < 150) await sleep(5);
    const refused = await command(['run', lossy, '--data', data], env);
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('the state of census would be lost') });
    const plan = await command(['plan', 'live', second, '--data', data], env);
    expect(plan).toMatchObject({ code: 0, out: expect.stringMatching(/crowding +changed, state kept\n/) });
    const changed = await command(['run', second, '--data', data], env);
    expect(changed).toMatchObject({ code: 0, out: expect.stringContaining('adt, centre, beds, actions stayed open') });
    expect(closed).toBe(0);
    // Commands that are not told a file take the one that runs.
    expect(await findRuns(data)).toMatchObject([{ file: second }]);
    expect(await findRan(data)).toMatchObject([{ file: second }]);
    // On a server that others may share, the same version once more is one more worker.
    if (!process.env.NATS_URL) {
      expect((await command(['run', second, '--data', data], env)).out).toContain('nothing was done');
      const elsewhere = await command(['run', third, '--data', data], { ...env, NATS_URL: 'nats://127.0.0.1:9' });
      expect(elsewhere).toMatchObject({ code: 1, err: expect.stringContaining('MACH1629') });
    }

    while (sent < 350) await sleep(5);
    const restored = () => engine.lines.filter(({ msg }) => msg === 'stage restored').length;
    const before = restored();
    const dying = command(['run', third, '--data', data], env);
    while (restored() === before) await sleep(1);
    await engine.kill();
    await dying;
    engine = await launch(third);

    const { truth, summary } = await city;
    const last = Math.max(...truth.map(({ minute }) => minute));
    const status = await untilComputed(engine, { node: 'ed_status', last });
    expect(isBalanced(status.accounting), JSON.stringify(status.accounting)).toBe(true);
    const store = await connectStore({ url: engine.storeUrl, clock: systemClock() });
    const rows = await store.query<{ hospital: string; at: string; census: number; boarding: number; waiting: number }>(
      'SELECT hospital, toString(toUnixTimestamp64Milli(minute)) AS at, toInt32(census) AS census, toInt32(boarding) AS boarding, toInt32(waiting) AS waiting FROM ed_status FINAL',
    );
    const computed = new Map(rows.map(({ hospital, at, ...row }) => [`${hospital}/${at}`, row]));
    for (const { hospital, minute, census, boarding, waiting } of truth) {
      const place = `${hospital} ${new Date(minute).toISOString()}`;
      expect({ place, ...computed.get(`${hospital}/${minute}`) }).toEqual({ place, census, boarding, waiting });
    }
    const calls = await store.query<{ rows: number; calls: number }>(
      'SELECT toInt32(count()) AS rows, toInt32(uniqExact(call_id)) AS calls FROM emergency_calls FINAL',
    );
    expect(calls[0]).toEqual({ rows: summary.feed.calls, calls: summary.feed.calls });
    const [busy] = await store.query<{ rows: number }>('SELECT toInt32(count()) AS rows FROM busy_status FINAL');
    expect(busy?.rows).toBeGreaterThan(0);
    const twice = await store.query(
      'SELECT _sequence, _index FROM alerts GROUP BY _sequence, _index HAVING count() > 1',
    );
    expect(twice).toEqual([]);
    await store.close();
    expect(await engine.stop()).toBe(0);
  } finally {
    idle.destroy();
    await engine.kill();
    await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
  }
});
