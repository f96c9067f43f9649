/**
 * The engine with everything around it is killed in the middle, twice, while eight hospitals and the 115 centre go on sending over real
 * sockets. Afterwards the store holds what happened: nothing missing, nothing twice.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { systemClock } from '../runtime/clock.ts';
import { connectStore } from '../runtime/store/index.ts';
import { isBalanced } from '../runtime/stream/ledger.ts';
import { simulateCity } from '../simulator/city/index.ts';
import { freePort, startEngineProcess, untilComputed } from './engine-process.ts';
import { ownTopology } from './own-topology.ts';
import { replayer } from './replayed.ts';

const minuteMs = 60_000;
const start = Date.parse('2026-03-02T10:00:00+07:00');
const durationMs = 60 * minuteMs;

it('loses nothing and doubles nothing when it is killed twice in the middle', { timeout: 600_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'mach-kill-'));
  const inbox = join(directory, 'inbox');
  await mkdir(inbox);
  const [hl7, feed] = [await freePort(), await freePort()];
  const env = { MACH_HL7: String(hl7), MACH_FEED: String(feed), MACH_ACTIONS: '0', MACH_BED_FILES: inbox };
  const topology = await ownTopology('topologies/emergency-overload.yaml', directory);
  const args = [topology, '--data', join(directory, 'data'), '--clock-rate', '60'];
  const launch = () => startEngineProcess([...args, '--clock-start', new Date(start + durationMs).toISOString()], env);
  let engine = await launch();
  try {
    let sent = 0;
    const city = simulateCity({
      seed: 5,
      hospitals: 8,
      scenario: 'surge',
      start,
      durationMs,
      speed: 'max',
      targets: { hl7: `127.0.0.1:${hl7}`, feed: `127.0.0.1:${feed}`, beds: inbox },
      onEvent: () => {
        sent++;
      },
    });
    for (const share of [300, 700]) {
      while (sent < share) await sleep(5);
      await engine.kill();
      engine = await launch();
    }
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
    const twice = await store.query(
      'SELECT _sequence, _index FROM alerts GROUP BY _sequence, _index HAVING count() > 1',
    );
    expect(twice).toEqual([]);
    await store.close();

    // What happened comes out again, beside the live one and after its end, and a checkpoint with a name brings its state back.
    const past = replayer({ topology, directory, data: join(directory, 'data'), env });
    const until = await past.expectSame('same');
    await past.expectOtherAlerts('changed');
    expect((await past.mach('checkpoint', 'save', topology, 'friday')).json).toMatchObject({
      name: 'friday',
      fresh: true,
    });
    expect(await engine.stop()).toBe(0);
    await past.expectSame('rest', { from: until });
    expect((await past.mach('checkpoint', 'list', topology)).json).toMatchObject({
      checkpoints: [{ name: 'friday', fits: true, misfit: null }],
    });
    const { json: restored } = await past.mach('checkpoint', 'restore', topology, 'friday');
    expect(restored).toMatchObject({ name: 'friday', before: expect.stringMatching(/^before-restore-/) });
    engine = await launch();
    expect(engine.lines.find(({ msg }) => msg === 'stage restored')?.sequence).toBe(restored.sequence);
    await past.expectSame('again');
    expect(await engine.stop()).toBe(0);
  } finally {
    await engine.kill();
    await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
  }
});
