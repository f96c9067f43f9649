/** The main job as a process, with real senders: what goes in by HL7, gRPC and files is seen in every place where it should be. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { watchHospitals } from '../connectors/feed-115/client.ts';
import { systemClock } from '../runtime/clock.ts';
import type { EngineStatus } from '../runtime/observe/status.ts';
import { connectStore, type Store } from '../runtime/store/index.ts';
import { isBalanced } from '../runtime/stream/ledger.ts';
import { type CityResult, simulateCity } from '../simulator/city/index.ts';
import { type EngineProcess, startEngineProcess, statusOf, untilComputed } from './engine-process.ts';
import { ownTopology } from './own-topology.ts';

const minuteMs = 60_000;
const start = Date.parse('2026-03-02T10:00:00+07:00');
const durationMs = 20 * minuteMs;

function portOf(address: string): string {
  return address.slice(address.lastIndexOf(':') + 1);
}

describe('the main job', () => {
  let directory: string;
  let engine: EngineProcess;
  let store: Store;
  let city: CityResult;
  const loads = new Set<string>();
  const stopWatching = new AbortController();

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'mach-main-job-'));
    const inbox = join(directory, 'inbox');
    await mkdir(inbox);
    const topology = await ownTopology('topologies/emergency-overload.yaml', directory);
    const clock = ['--clock-rate', '60', '--clock-start', new Date(start + durationMs).toISOString()];
    engine = await startEngineProcess([topology, '--data', join(directory, 'data'), ...clock], {
      MACH_HL7: '0',
      MACH_FEED: '0',
      MACH_ACTIONS: '0',
      MACH_BED_FILES: inbox,
    });
    store = await connectStore({ url: engine.storeUrl, clock: systemClock() });
    const addresses = new Map(
      engine.lines.filter(({ msg }) => msg === 'source open').map((line) => [line.source, String(line.address)]),
    );
    const feed = `127.0.0.1:${portOf(addresses.get('centre') ?? '')}`;
    void (async () => {
      for await (const { hospital } of watchHospitals(feed, { signal: stopWatching.signal }))
        if (hospital) loads.add(hospital);
    })().catch(() => undefined);
    city = await simulateCity({
      seed: 3,
      hospitals: 4,
      start,
      durationMs,
      // Slow enough that bed files, which settle in real time, come before the minutes that need them.
      speed: 240,
      targets: { hl7: `127.0.0.1:${portOf(addresses.get('adt') ?? '')}`, feed, beds: inbox },
    });
    await untilComputed(engine, { node: 'ed_status', last: start + durationMs });
  });

  afterAll(async () => {
    stopWatching.abort();
    await engine?.kill();
    await store?.close();
    await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
  });

  it('has a row for every hospital and minute, with the scores of departments whose beds are known', async () => {
    const [row] = await store.query<{ minutes: number; hospitals: number; scored: number }>(
      `SELECT toInt32(count()) AS minutes, toInt32(uniqExact(hospital)) AS hospitals, toInt32(countIf(nedocs IS NOT NULL AND level IS NOT NULL)) AS scored
       FROM ed_status FINAL WHERE minute >= fromUnixTimestamp64Milli({from: Int64}) AND minute < fromUnixTimestamp64Milli({to: Int64})`,
      { from: start, to: start + durationMs },
    );
    expect(row).toMatchObject({ minutes: 80, hospitals: 4 });
    expect(row?.scored).toBeGreaterThan(0);
  });

  it('has every call once, with the hospitals to ask', async () => {
    const [row] = await store.query<{ calls: number; ranked: number }>(
      'SELECT toInt32(count()) AS calls, toInt32(countIf(recommended IS NOT NULL)) AS ranked FROM emergency_calls FINAL',
    );
    expect(row?.calls).toBe(city.summary.feed.calls);
    expect(row?.ranked).toBe(row?.calls);
  });

  it('has the beds and the register of every hospital', async () => {
    const [row] = await store.query<{ beds: number; named: number }>(
      "SELECT (SELECT toInt32(uniqExact(hospital)) FROM bed_status) AS beds, (SELECT toInt32(countIf(name != '')) FROM hospitals FINAL) AS named",
    );
    expect(row).toEqual({ beds: 4, named: 4 });
  });

  it('tells dispatchers the load of every hospital, live', () => {
    // On a server that NATS_URL names, another city may be heard too.
    expect([...loads]).toEqual(expect.arrayContaining(['H1', 'H2', 'H3', 'H4']));
  });

  it('accounts for every event that was accepted', async () => {
    const { accounting, nodes } = await statusOf(engine);
    expect(isBalanced(accounting), JSON.stringify(accounting)).toBe(true);
    const accepted = nodes.filter(({ kind }) => kind === 'source').reduce((sum, node) => sum + node.in, 0);
    expect(accounting.in).toBe(accepted);
    expect(accounting.dead_lettered).toBeGreaterThan(0);
    expect(accounting.dropped).toBeGreaterThan(0);
  });

  it('is ready, and says so with its metrics', async () => {
    expect(await (await fetch(`${engine.observeUrl}/readyz`)).json()).toEqual({ ready: true, reasons: [] });
    const metrics = await (await fetch(`${engine.observeUrl}/metrics`)).text();
    expect(metrics).toMatch(/^mach_accounting_events_total\{topology="[\w-]+",outcome="delivered"\} [1-9]/m);
  });

  it('drains on SIGTERM and ends with 0', async () => {
    expect(await engine.stop()).toBe(0);
    const last = engine.lines.at(-1);
    expect(last?.msg).toBe('drained');
    expect(isBalanced(last?.accounting as EngineStatus['accounting'])).toBe(true);
  });
});
