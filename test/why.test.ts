/** `mach why` against a simulated day: what it names is what gave the result, and replayed alone gives it again. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalogue } from '../catalogue.ts';
import { connectLog } from '../runtime/bus/index.ts';
import { systemClock } from '../runtime/clock.ts';
import type { InputFrame, SourceFrame } from '../runtime/execution/log-frame.ts';
import { openPast, type Past } from '../runtime/execution/replay/past.ts';
import { type Explanation, explainRow, explainRows } from '../runtime/execution/why/explain.ts';
import { reportOf } from '../runtime/execution/why/report.ts';
import type { ResultRow } from '../runtime/execution/why/walk.ts';
import { engineOpenKey } from '../runtime/observe/why.ts';
import { seededRandom } from '../runtime/random.ts';
import type { Event } from '../runtime/stream/index.ts';
import { withNats } from '../runtime/testing/with-nats.ts';
import { type BoundTopology, loadTopology } from '../runtime/topology/index.ts';
import { topologyNames } from '../runtime/topology/names.ts';
import { type CityDay, liveCityDay } from './city-day.ts';
import { fencesOf } from './documents.ts';
import { runMach } from './run-mach.ts';

const hourMs = 3_600_000;
const start = Date.parse('2026-03-02T00:00:00+07:00');
const file = 'topologies/emergency-overload.yaml';
const seed = Number(process.env.MACH_SEED ?? 11);
const wanted = 200;

/** The main job; with an alert that is raised sooner and said again, so that a day of three hospitals has hundreds of rows. */
function load(edit: (text: string) => string = (text) => text): BoundTopology {
  const readFile = (path: string) =>
    path === file ? Buffer.from(edit(readFileSync(path, 'utf8'))) : readFileSync(path);
  const { topology, diagnostics } = loadTopology(file, { catalogue, env: { MACH_BED_FILES: 'inbox' }, readFile });
  expect(diagnostics).toEqual([]);
  return topology as BoundTopology;
}

const manyAlerts = (text: string) =>
  text
    .replace('raise: level >= 3', 'raise: level >= 2')
    .replace('escalate: { severe: level >= 4 }', 'escalate: { busy: level >= 3, severe: level >= 4 }\n      remind: 8m')
    .replace('hold: 5m', 'hold: 3m')
    .replace('clear: level <= 2', 'clear: level <= 1');

async function pastOf(day: CityDay, topology: BoundTopology): Promise<Past> {
  const names = topologyNames(topology.name);
  return openPast({ log: day.log, topology, names, objects: await day.log.objects(names.checkpointBucket) });
}

/** Only these places of a message; written anew here, so that the check does not lean on what it checks. */
function cut(frame: InputFrame, kept: ReadonlySet<number>): InputFrame {
  if (frame.kind !== 'source') return frame;
  const events: Event[] = [];
  const times: number[] = [];
  const segments: SourceFrame['segments'][number][] = [];
  let at = 0;
  for (const { origin, events: count, id, mark } of frame.segments) {
    const before = events.length;
    for (let left = count; left > 0; left--, at++) {
      if (!kept.has(at)) continue;
      events.push(frame.events[at] as Event);
      times.push(frame.times[at] as number);
    }
    if (events.length === before) continue;
    segments.push({ origin, events: events.length - before, ...(id && { id }), ...(mark && { mark }) });
  }
  return { ...frame, segments, events, times, deadLetters: [] };
}

async function givesAgain(past: Past, { row, from, messages, places }: Explanation): Promise<boolean> {
  const machine = await past.machineBefore(from);
  let again = false;
  machine.listen({
    row(output, { event, time }) {
      if (output === row.sink && time === row.time && isDeepStrictEqual(event, row.event)) again = true;
    },
  });
  for (const message of messages) {
    const kept = new Set(places.filter(({ sequence }) => sequence === message.sequence).map(({ at }) => at));
    machine.handle({ ...message, frame: cut(message.frame, kept) });
  }
  return again;
}

describe(`why, on a simulated day (seed ${seed})`, () => {
  const topology = load(manyAlerts);
  let day: CityDay;
  let past: Past;

  beforeAll(async () => {
    const run = { seed, hospitals: 3, start, durationMs: 24 * hourMs, scenario: 'surge' } as const;
    day = await liveCityDay(topology, run);
    past = await pastOf(day, topology);
  });
  afterAll(() => day?.close());

  function chosen(sink: string, count: number): ResultRow[] {
    const random = seededRandom(seed);
    const rows = [...(day.rows.get(sink) ?? [])];
    const picked: ResultRow[] = [];
    while (rows.length > 0 && picked.length < count) {
      const [row] = rows.splice(random.int(0, rows.length - 1), 1);
      if (row) picked.push({ sink, ...row });
    }
    return picked;
  }

  it(`names messages for ${wanted} alerts that, replayed alone, raise the same alert`, async () => {
    const rows = chosen('alerts', wanted);
    expect(rows.length).toBe(wanted);
    const found: Explanation[] = [];
    for await (const explanation of explainRows({ past, topology }, rows)) found.push(explanation);
    expect(found.filter(({ verified }) => verified !== true).map(({ row }) => row)).toEqual([]);
    expect(found.length).toBe(wanted);
    // Mostly what it goes back to is named as well, not the last message alone.
    const withCause = found.filter(({ places }) => places.some(({ role }) => role === 'cause'));
    expect(withCause.length).toBeGreaterThan(0.8 * wanted);
    for (const explanation of found.slice(0, 10)) expect(await givesAgain(past, explanation)).toBe(true);
  }, 300_000);

  it('needs what it names: without the causes another row comes, or none', async () => {
    let needed = 0;
    for await (const found of explainRows({ past, topology }, chosen('alerts', 6))) {
      const places = found.places.filter(({ role }) => role !== 'cause');
      if (!(await givesAgain(past, { ...found, places }))) needed++;
    }
    expect(needed).toBeGreaterThan(0);
  });

  it.each(['ed_status', 'emergency_calls', 'bed_status'])('explains rows of %s too', async (sink) => {
    for await (const { verified, messages } of explainRows({ past, topology }, chosen(sink, 3))) {
      expect(verified).toBe(true);
      expect(messages.length).toBeGreaterThan(0);
    }
  });

  it('names the silence that moved time on, and what had put the state there', async () => {
    const [row] = (day.rows.get('ed_status') ?? []).slice(-1);
    for await (const explanation of explainRows({ past, topology }, [{ sink: 'ed_status', ...row } as ResultRow])) {
      const { messages, steps } = await reportOf(explanation, { past, topology, reveal: false });
      const mover = messages.find(({ role }) => role === 'time');
      expect(mover).toMatchObject({ kind: 'silence', note: expect.stringMatching(/^H\d for \d+ s/) });
      const census = steps.find(({ node }) => node === 'census');
      expect(census?.by).toMatchObject({ kind: 'time', moved_by: mover?.place });
      expect(census?.state[0]).toMatchObject({ state: 'hospitals', key: row?.event.hospital });
    }
  });

  it('names what each hospital had said before the first silence let go the alerts of a city that has just begun', async () => {
    const plain = load();
    const begun = Date.parse('2026-03-02T10:00:00+07:00');
    const run = { seed: 1, hospitals: 8, start: begun, durationMs: 12 * 60_000, scenario: 'surge' } as const;
    const city = await liveCityDay(plain, run);
    const setting = { past: await pastOf(city, plain), topology: plain };
    const rows = (city.rows.get('alerts') ?? []).map((row): ResultRow => ({ sink: 'alerts', ...row }));
    expect(rows.map(({ event }) => event.hospital)).toEqual(['H6', 'H7', 'H8']);
    for (const row of rows) {
      const explanation = await explainRow(setting, row);
      const { messages } = await reportOf(explanation, { ...setting, reveal: false });
      expect(explanation).toMatchObject({ verified: true, shortened: false });
      expect(messages.find(({ role }) => role === 'time')).toMatchObject({ kind: 'silence' });
      // Without its bed file nobody knew how crowded it was.
      const named = messages.filter(({ role, origin }) => role === 'cause' && origin === row.event.hospital);
      expect(new Set(named.map(({ source }) => source))).toEqual(new Set(['adt', 'beds']));
    }
    await city.close();
  });

  it('says when the log is too short, or the topology is another one', async () => {
    const [row] = chosen('alerts', 1) as [ResultRow];
    const short = { ...past, first: row.sequence + 1 };
    await expect(explainRow({ past: short, topology }, row)).rejects.toThrow('the log no longer has message');
    const other = { ...row, event: { ...row.event, severity: 9 } };
    await expect(explainRow({ past, topology }, other)).rejects.toThrow('does not give this row');
  });

  it('explains what four partitions gave, whose rows have other indexes', async () => {
    const short = { seed, hospitals: 4, start, durationMs: 30 * 60_000, scenario: 'surge' } as const;
    const four = await liveCityDay(topology, short, { partitions: 4 });
    const rows = (four.rows.get('alerts') ?? []).slice(-5).map((row) => ({ sink: 'alerts', ...row }));
    expect(rows.length).toBeGreaterThan(0);
    for await (const { verified } of explainRows({ past: await pastOf(four, topology), topology }, rows))
      expect(verified).toBe(true);
    await four.close();
  });

  it('hides what points at a person, and the texts of senders, unless they are revealed', async () => {
    const [row] = chosen('alerts', 1);
    for await (const explanation of explainRows({ past, topology }, [row as ResultRow])) {
      const shown = JSON.stringify(await reportOf(explanation, { past, topology, reveal: false }));
      const revealed = JSON.stringify(await reportOf(explanation, { past, topology, reveal: true }));
      // Everybody in the city is called "Thử", and every text begins with MSH.
      expect(revealed).toMatch(/Thử \d{4}/);
      expect(revealed).toContain('MSH|');
      expect(shown).not.toMatch(/Thử \d{4}|MSH\||BN\d{6}/);
      expect(shown).toContain('"option":"raise","text":"level >= 2"');
    }
  });

  it('names the hospital that holds a minute open, and lets it go when it is silent', async () => {
    const short = { seed, hospitals: 4, start, durationMs: 15 * 60_000, scenario: 'ordinary' } as const;
    const open = await liveCityDay(topology, short, { afterMs: 0 });
    const ask = () => engineOpenKey(open.engine, { node: 'census', key: 'H2', now: open.clock.now() });
    const before = await ask();
    const { time, holding } = open.engine.stage.machine.sourceWatermark('adt');
    expect(before).toMatchObject({
      known: true,
      watermark: new Date(time).toISOString(),
      holding: { path: ['messages', 'adt'], source: 'adt', origin: holding, idle: false, idle_ms: 120_000 },
    });
    const released = Date.parse(before.holding?.released_at ?? '');
    expect(released - (before.holding?.last?.heardAt ?? 0)).toBe(120_000);
    await open.clock.advance(released - open.clock.now() + 30_000);
    const after = await ask();
    expect(after.holding?.idle === true || after.holding?.origin !== holding).toBe(true);
    expect(await engineOpenKey(open.engine, { node: 'census', key: 'H9', now: 0 })).toMatchObject({ known: false });
    await expect(engineOpenKey(open.engine, { node: 'censsus', key: 'H2', now: 0 })).rejects.toThrow('mean census');
    await open.close();
  });
});

describe('mach why, on a log of a real server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mach-why-'));
  const lines = fencesOf(readFileSync('docs/why.md', 'utf8'))
    .filter(({ language }) => language === 'text')
    .flatMap(({ text }) => text.split('\n'))
    .filter((line) => line.startsWith('$ mach why '))
    .map((line) => line.slice('$ mach '.length));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('does what docs/why.md says, without an engine', async () => {
    expect(lines.length).toBeGreaterThan(4);
    await withNats(async ({ url }) => {
      const topology = load();
      const log = await connectLog({ url, clock: systemClock() });
      const run = { seed: 11, hospitals: 8, start, durationMs: 12 * 60_000, scenario: 'surge' } as const;
      const day = await liveCityDay(topology, run, { log });
      await day.engine.stage.checkpoint();
      const raised = day.rows.get('alerts')?.find(({ event }) => event.state === 'raised');
      if (!raised) throw new Error('the city raised no alert');
      await day.close();
      const env = { NATS_URL: url, MACH_ACTIONS: '0', MACH_BED_FILES: folder };
      for (const line of lines) {
        const words = fillIn(line, { row: raised }).concat(['--topology', file, '--data', folder]);
        const { code, output, errors } = await runMach(words, env);
        expect({ line, code, errors }).toMatchObject({ code: 0 });
        if (words.includes('--json')) expect(JSON.parse(output).replay).toMatchObject({ verified: true });
        else if (!words.includes('--open')) expect(output).toMatch(/replayed alone .* gives? the same row/);
        expect(output.includes('MSH|')).toBe(words.includes('--reveal'));
      }
      const audit = readFileSync(join(folder, 'audit.ndjson'), 'utf8').trim().split('\n');
      expect(audit.map((line) => JSON.parse(line))).toMatchObject([{ action: 'why', reason: expect.any(String) }]);
      expect(
        (await runMach(['why', 'alerts', 'hospital=H99', '--topology', file, '--data', folder], env)).errors,
      ).toMatch('MACH3261');
      for (const names of [['alrts'], ['--open', 'register2', 'H1']]) {
        const { code, errors } = await runMach(['why', ...names, '--topology', file, '--data', folder], env);
        expect({ code, errors }).toEqual({ code: 2, errors: expect.stringContaining('did you mean') });
      }
      expect((await runMach(['why', 'alerts', '--reveal', '--topology', file, '--data', folder], env)).errors).toMatch(
        'MACH1661',
      );
    });
  });
});

/** The document's places and ids are those of its own day. */
function fillIn(line: string, { row }: { row: { sequence: number; index: number; event: Event } }): string[] {
  const { alert_id: id, hospital } = row.event as { alert_id: string; hospital: string };
  const words = (line.match(/'[^']*'|"[^"]*"|\S+/g) ?? []).map((word) => word.replace(/^['"]|['"]$/g, ''));
  return words.map((word) =>
    word
      .replace(/^alerts\/s1\/0\/\d+\/\d+$/, `alerts/s1/0/${row.sequence}/${row.index}`)
      .replace(/^crowding\/H\d\/.*/, id)
      .replace(/^hospital=H\d/, `hospital=${hospital}`),
  );
}
