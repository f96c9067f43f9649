/** The city against the real sources, over real sockets, with connections cut and the receiver restarted in the middle. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { feed115 } from '../../../connectors/feed-115/index.ts';
import { fileDrop } from '../../../connectors/file-drop/index.ts';
import { hl7Mllp } from '../../../connectors/hl7-mllp/index.ts';
import type { Hl7Event } from '../../../connectors/hl7-mllp/schema.ts';
import { bindSource } from '../../../connectors/testing/bind.ts';
import { type RecordedLog, recordedLog, testContext, until } from '../../../connectors/testing/source-context.ts';
import { systemClock, virtualClock } from '../../../runtime/clock.ts';
import type { RunningSource } from '../../../runtime/stream/index.ts';
import { bytesOf, type CityEvent, cityEvents, simulateCity, truthCsv, truthOf } from '../index.ts';
import { readTruth } from '../naive-reader.ts';
import { MllpSender } from './mllp-sender.ts';

const start = Date.parse('2026-03-02T07:00:00+07:00');
const hourMs = 3_600_000;

interface Receiver {
  readonly log: RecordedLog;
  readonly address: string;
  /** As after a crash: a new source over the same log. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

async function receiver(definition: typeof hl7Mllp | typeof feed115): Promise<Receiver> {
  const log = recordedLog();
  const clock = systemClock();
  const open = (listen: string) =>
    bindSource(definition as typeof hl7Mllp, { listen }).open(testContext(log, { clock }));
  let running: RunningSource = await open('127.0.0.1:0');
  const { address } = running;
  return {
    log,
    address,
    async restart() {
      await running.close();
      running = await open(address);
    },
    close: () => running.close(),
  };
}

/** Forwards to an address, and cuts a connection after so many chunks from the receiver have not been passed on. */
async function cuttingProxy(
  address: string,
  chunksBetweenCuts: number,
): Promise<{ address: string; cuts(): number; close(): void }> {
  const [host, port] = address.split(':') as [string, string];
  const sockets = new Set<Socket>();
  let chunks = 0;
  let cuts = 0;
  const server: Server = createServer((client) => {
    const upstream = connect(Number(port), host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (chunk) => upstream.write(chunk));
    upstream.on('data', (chunk) => {
      if (++chunks % chunksBetweenCuts === 0) {
        cuts++;
        client.destroy();
      } else client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts: () => cuts,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

const ordinary = { seed: 21, hospitals: 3, start, durationMs: hourMs } as const;
const readable = (events: Iterable<CityEvent>) =>
  [...events].filter((event) => event.kind === 'hl7').filter(({ note }) => note !== 'broken' && note !== 'foreign');

/** The rule of `simulator/README.md` over the typed events of the source. */
function staysOf(events: readonly Hl7Event[]) {
  const visits = new Map<string, Hl7Event[]>();
  for (const event of events) {
    if (event.visit_id === null) continue;
    const key = `${event.hospital} ${event.visit_id}`;
    const list = visits.get(key);
    if (list) list.push(event);
    else visits.set(key, [event]);
  }
  const stays: { hospital: string; arrival: number | null; departure: number | null }[] = [];
  for (const list of visits.values()) {
    const first = list.find(({ kind, department }) => kind === 'arrival' && department === 'ED');
    if (!first || list.some(({ kind }) => kind === 'cancel-arrival')) continue;
    const stay = { hospital: first.hospital, arrival: null as number | null, departure: null as number | null };
    for (const event of list.sort((left, right) => (left.recorded_at ?? 0) - (right.recorded_at ?? 0))) {
      const { kind, department, prior_department, admitted_at, discharged_at, occurred_at } = event;
      if (kind === 'transfer' && prior_department === 'ED' && department !== 'ED') stay.departure = occurred_at;
      stay.arrival = admitted_at ?? stay.arrival;
      if (department !== 'ED') continue;
      if (kind === 'cancel-transfer' || kind === 'cancel-discharge') stay.departure = null;
      else if ((kind === 'discharge' || kind === 'update') && discharged_at !== null) stay.departure = discharged_at;
    }
    stays.push(stay);
  }
  return stays;
}

describe('hospitals over MLLP', () => {
  it('deliver every message at least once and in order, though connections are cut and the receiver restarts', async () => {
    const source = await receiver(hl7Mllp);
    const proxy = await cuttingProxy(source.address, 60);
    let failed = false;
    source.log.before = () => {
      if (failed || source.log.requests.length < 200) return;
      failed = true;
      setImmediate(() => void source.restart());
      throw new Error('the log is gone');
    };
    try {
      const { summary } = await simulateCity({ ...ordinary, speed: 'max', targets: { hl7: proxy.address } });
      const sent = [...cityEvents(ordinary)].filter((event) => event.kind === 'hl7');
      expect(summary.hl7.messages).toBe(sent.length);
      expect(summary.hl7.accepted + summary.hl7.rejected).toBe(sent.length);
      expect(proxy.cuts()).toBeGreaterThan(3);
      expect(failed).toBe(true);
      expect(summary.hl7.resent).toBeGreaterThan(proxy.cuts() / 2);
      const received = new Set(source.log.events.map(({ event }) => event.message_id));
      for (const { id } of readable(sent)) expect(received).toContain(id);
      const firsts = [...received].filter((id) => String(id).startsWith('H1-'));
      const order = sent.filter(({ hospital, id }) => hospital === 'H1' && received.has(id)).map(({ id }) => id);
      expect(firsts).toEqual([...new Set(order)]);
    } finally {
      proxy.close();
      await source.close();
    }
  });

  it('are understood: what the source decodes carries the times and levels that were said', async () => {
    const source = await receiver(hl7Mllp);
    try {
      const result = await simulateCity({ ...ordinary, speed: 'max', targets: { hl7: source.address } });
      const kinds = new Set(source.log.events.map(({ event }) => event.kind));
      for (const kind of ['arrival', 'update', 'transfer', 'discharge', 'class-change', 'pending-admission', 'other']) {
        expect(kinds).toContain(kind);
      }
      expect(source.log.deadLetters.length).toBeGreaterThan(0);
      const updates = source.log.events.map(({ event }) => event).filter(({ kind }) => kind === 'update');
      for (const visit of result.visits) {
        if (visit.triagedAt === null || visit.triagedAt > start + 45 * 60_000) continue;
        const said = updates.find((event) => event.hospital === visit.hospital.id && event.visit_id === visit.id);
        expect(said).toMatchObject({ triage_level: visit.level, triaged_at: visit.triagedAt, department: 'ED' });
      }
      const seen = updates.filter(({ seen_at }) => seen_at !== null);
      expect(seen.length).toBeGreaterThan(20);
    } finally {
      await source.close();
    }
  });

  it('give the truth of the census when the events are read by the written rule', async () => {
    const source = await receiver(hl7Mllp);
    try {
      const { truth } = await simulateCity({ ...ordinary, speed: 'max', targets: { hl7: source.address } });
      const stays = staysOf(source.log.events.map(({ event }) => event as Hl7Event));
      for (const { hospital, minute, census } of truth) {
        const present = stays.filter(
          (stay) =>
            stay.hospital === hospital &&
            (stay.arrival ?? Number.POSITIVE_INFINITY) <= minute &&
            (stay.departure === null || stay.departure > minute),
        );
        expect({ hospital, minute, census: present.length }).toEqual({ hospital, minute, census });
      }
    } finally {
      await source.close();
    }
  });

  it('end with a coded error when nobody listens, or when a message is refused again and again', async () => {
    const source = await receiver(hl7Mllp);
    const [host, port] = source.address.split(':') as [string, string];
    const sender = () => new MllpSender({ hospital: 'H1', host, port: Number(port), attempts: 2 });
    const [message] = readable(cityEvents(ordinary));
    source.log.before = () => {
      throw new Error('the log is gone');
    };
    const refused = sender();
    await refused.send('H1-1', Buffer.from(message?.text ?? ''));
    await expect(refused.flush()).rejects.toMatchObject({ code: 'MACH1704', data: { id: 'H1-1', attempts: 2 } });
    await expect(refused.send('H1-2', Buffer.from(message?.text ?? ''))).rejects.toMatchObject({ code: 'MACH1704' });
    refused.close();
    await source.close();
    const alone = sender();
    await alone.send('H1-1', Buffer.from(message?.text ?? ''));
    await expect(alone.flush()).rejects.toMatchObject({ code: 'MACH1703' });
    alone.close();
  });

  it('refuse an address that is none', async () => {
    const running = simulateCity({ ...ordinary, speed: 'max', targets: { hl7: 'nowhere' } });
    await expect(running).rejects.toMatchObject({ code: 'MACH1702' });
  });
});

describe('the 115 centre over gRPC', () => {
  it('delivers every item exactly once and in order, though the receiver restarts', async () => {
    const source = await receiver(feed115);
    let failed = false;
    source.log.after = () => {
      if (failed || source.log.requests.length < 3) return;
      failed = true;
      setImmediate(() => void source.restart());
      throw new Error('stored, but the sender never hears of it');
    };
    try {
      const options = { ...ordinary, durationMs: 3 * hourMs };
      const { summary } = await simulateCity({ ...options, speed: 'max', targets: { feed: source.address } });
      const items = [...cityEvents(options)].filter((event) => event.kind === 'feed').map(({ item }) => item);
      expect(failed).toBe(true);
      expect(summary.feed).toMatchObject({ items: items.length, refused: 0 });
      expect(source.log.events).toHaveLength(items.length);
      expect(source.log.deadLetters).toHaveLength(0);
      for (const [index, item] of items.entries()) {
        const event = source.log.events[index]?.event;
        if (item.call) expect(event).toMatchObject({ kind: 'call', call_id: item.call.call_id });
        if (item.unit) expect(event).toMatchObject({ unit_id: item.unit.unit_id, reported_at: item.unit.reported_ms });
        if (item.diversion) expect(event).toMatchObject({ kind: 'diversion', hospital: item.diversion.hospital });
      }
    } finally {
      await source.close();
    }
  });
});

describe('files', () => {
  it('bed files arrive whole, and the truth and the summary are written', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'city-'));
    try {
      const targets = { beds: join(folder, 'beds') };
      const { summary } = await simulateCity({
        ...ordinary,
        speed: 'max',
        targets,
        truthFolder: join(folder, 'truth'),
      });
      const files = [...cityEvents(ordinary)].filter((event) => event.kind === 'bed-file');
      expect((await readdir(targets.beds)).sort()).toEqual(files.map(({ name }) => name).sort());
      for (const { name, text } of files) expect(await readFile(join(targets.beds, name), 'utf8')).toBe(text);
      const read = (name: string) => readFile(join(folder, 'truth', name), 'utf8');
      expect(await read('truth.csv')).toBe(truthCsv(truthOf(ordinary)));
      expect(JSON.parse(await read('summary.json'))).toEqual(summary);
      expect((await read('visits.csv')).split('\n').length).toBe(summary.truth.visits + 2);
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
    }
  });
});

describe('bed files', () => {
  it('are read by the real source with the schema of the topology: good rows are events, bad rows dead letters', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'city-'));
    const log = recordedLog();
    const schema = resolve('topologies/schemas/beds.yaml');
    const options = { folder, format: 'csv', schema, time: 'reported_at', origin: 'hospital', settle: '500ms' };
    const source = await bindSource(fileDrop, options).open(testContext(log, { clock: systemClock() }));
    try {
      const run = { seed: 12, start, durationMs: 4 * hourMs };
      await simulateCity({ ...run, speed: 'max', targets: { beds: folder } });
      const files = [...cityEvents(run)].filter((event) => event.kind === 'bed-file');
      const first = files.filter(({ note }) => note !== 'duplicate');
      expect(first.length).toBeLessThan(files.length);
      await until(() => log.events.length >= first.length);
      const rows = first.map(({ hospital, text }) => `${hospital} ${Date.parse(text.split(/[\n,]/)[15] ?? '')}`);
      expect(log.events.map(({ event, time }) => `${event.hospital} ${time}`).sort()).toEqual(rows.sort());
      expect(log.deadLetters).toHaveLength(files.filter(({ note }) => note === 'bad-row').length);
      expect(log.deadLetters.length).toBeGreaterThan(0);
    } finally {
      await source.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
    }
  });
});

describe('pace and end', () => {
  it('sends nothing before its time on the clock, and ends in order when it is aborted', async () => {
    const clock = virtualClock(start);
    const stop = new AbortController();
    const early: CityEvent[] = [];
    const said: CityEvent[] = [];
    const running = simulateCity({
      seed: 22,
      hospitals: 2,
      clock,
      targets: {},
      signal: stop.signal,
      onEvent: (event) => {
        said.push(event);
        if (event.at > clock.now() && !stop.signal.aborted) early.push(event);
      },
    });
    for (let step = 0; step < 600; step++) await clock.advance(1_000);
    expect(said.length).toBeGreaterThan(20);
    stop.abort();
    const { truth } = await running;
    expect(early).toHaveLength(0);
    expect(truth.length).toBeGreaterThanOrEqual(2 * 10);
    expect(truth.length).toBeLessThanOrEqual(2 * 11);
    const texts = said.flatMap((event) => (event.kind === 'hl7' ? [event.text] : []));
    const to = (truth.at(-1)?.minute ?? 0) + 1;
    const census = readTruth(texts, { hospitals: ['H1', 'H2'], from: start, to }).map((row) => row.census);
    expect(truth.map((row) => row.census)).toEqual(census);
  });

  it('makes bytes that are what MSH-18 says, faults aside', () => {
    for (const event of readable(cityEvents(ordinary))) {
      expect(Buffer.from(bytesOf(event)).toString('utf8')).toBe(event.text);
    }
  });
});
