/** A row of a file is named by the file and the line that it began in: in whatever message of the log it came, and after a crash in the middle. */
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalogue } from '../catalogue.ts';
import type { LogStream } from '../runtime/bus/log.ts';
import { type MemoryLog, memoryLog } from '../runtime/bus/memory/log.ts';
import { memoryStorage } from '../runtime/bus/memory/storage.ts';
import { describeReport } from '../runtime/cli/why/print-report.ts';
import { systemClock } from '../runtime/clock.ts';
import { type DeadLetterEntry, readDeadLetterBook } from '../runtime/execution/dead-letters/book.ts';
import { redriveDeadLetters } from '../runtime/execution/dead-letters/redrive.ts';
import { type Engine, startEngine } from '../runtime/execution/engine.ts';
import { decodeInputFrame } from '../runtime/execution/log-frame.ts';
import { openPast } from '../runtime/execution/replay/past.ts';
import { explainRow } from '../runtime/execution/why/explain.ts';
import { reportOf, type WhyReport } from '../runtime/execution/why/report.ts';
import { type ArmedCrashPoints, armedCrashPoints } from '../runtime/faults.ts';
import { seededRandom } from '../runtime/random.ts';
import type { Store } from '../runtime/store/store.ts';
import type { Schema, SinkRow } from '../runtime/stream/index.ts';
import { type BoundTopology, loadTopology } from '../runtime/topology/index.ts';
import { stageName, topologyNames } from '../runtime/topology/names.ts';

const rowCount = 10_000;
const asked = 100;
const seed = Number(process.env.MACH_SEED ?? 17);
const fileName = 'giường.csv';
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

const yaml = (bedsMax: string) => `version: 1
name: places
sources:
  rows:
    file-drop:
      folder: inbox
      format: csv
      schema: { id: string, hospital: string, at: timestamp, beds: { type: int${bedsMax} }, note: string? }
      time: at
      origin: hospital
      settle: 10ms
      scan: 20ms
operators:
  kept: { filter: { from: rows, when: 'beds >= 0' } }
sinks:
  beds: { discard: { from: kept } }
`;

/** Some texts go over several lines, some rows are too many beds at first, and those in the middle are too much for one message. */
function fileOf(random: ReturnType<typeof seededRandom>) {
  const lines = new Map<string, number>();
  let text = 'id,hospital,at,beds,note\n';
  let line = 2;
  for (let number = 0; number < rowCount; number++) {
    const id = `r${number}`;
    const isLong = number >= 4_000 && number < 4_400;
    const note = isLong
      ? 'x'.repeat(50_000)
      : `"a${random.chance(0.3) ? '\n,""b""\r\n' : ''}${'\n'.repeat(random.int(0, 2))}"`;
    const row = `${id},H${random.int(1, 3)},2026-03-02T07:00:00+07:00,${random.chance(0.02) ? 60 : 5},${note}`;
    lines.set(id, line);
    text += `${row}\n`;
    line += row.split('\n').length;
    if (random.chance(0.05)) {
      text += '\n';
      line++;
    }
  }
  return { text, lines };
}

describe(`the place of a row of a file (seed ${seed})`, () => {
  const random = seededRandom(seed);
  const clock = systemClock();
  const storage = memoryStorage();
  const names = topologyNames('places');
  /** As in a store, a token counts once. */
  const written = new Map<string, readonly SinkRow[]>();
  const rows = () => [...written.values()].flat();
  const { text, lines } = fileOf(random);
  let directory: string;
  let letters: readonly DeadLetterEntry[];
  let log: MemoryLog;
  let engine: Engine | undefined;
  let mended: BoundTopology;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'mach-why-places-'));
    await mkdir(join(directory, 'inbox'));
    await writeFile(join(directory, fileName), text);
    await rename(join(directory, fileName), join(directory, 'inbox', fileName));
    const broken = bind(', maximum: 50');
    const dying = memoryLog({ clock, storage });
    const died = new Promise<void>((resolve) => {
      const crashPoints = armedCrashPoints(() => {
        dying.crash();
        resolve();
      });
      // In the midst of a request that is cut.
      crashPoints.arm('source.after-append', 15);
      void start(broken, dying, crashPoints);
    });
    await died;
    expect(rows().length).toBeLessThan(rowCount / 2);
    log = memoryLog({ clock, storage });
    engine = await start(broken, log);
    letters = [];
    while (rows().length + letters.length < rowCount) {
      await sleep(50);
      letters = await readLetters();
    }
    mended = bind('');
    const input = (await log.find(names.inputStream(stageName(1)))) as LogStream;
    const deadLetters = (await log.find(names.deadLetterStream)) as LogStream;
    const redriven = redriveDeadLetters({ entries: letters, topology: mended, names, deadLetters, input, clock });
    for await (const { problem } of redriven) expect(problem).toBeNull();
    while (rows().length < rowCount) await sleep(50);
  });

  afterAll(async () => {
    await engine?.stop();
    await log?.close();
    await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
  });

  function bind(bedsMax: string): BoundTopology {
    const readFile = () => Buffer.from(yaml(bedsMax));
    const { topology, diagnostics } = loadTopology(join(directory, 'places.yaml'), { catalogue, env: {}, readFile });
    expect(diagnostics).toEqual([]);
    return topology as BoundTopology;
  }

  function start(topology: BoundTopology, on: MemoryLog, crashPoints?: ArmedCrashPoints): Promise<Engine> {
    const open = async () => ({
      async write(batch: readonly SinkRow[], token: string) {
        if (!crashPoints?.crashed) written.set(token, [...batch]);
        return [];
      },
      close: async () => undefined,
    });
    const sinks = topology.sinks.map((node) => ({ ...node, bound: { ...node.bound, open } }));
    const sources = topology.sources.map((node) => ({
      ...node,
      bound: {
        ...node.bound,
        async open(context: Parameters<typeof node.bound.open>[0]) {
          const source = await node.bound.open(context);
          // Of a process that has died nothing looks at the folder any more.
          if (crashPoints) void untilCrashed(crashPoints).then(() => source.close());
          return source;
        },
      },
    }));
    const store = {} as Store;
    return startEngine({
      topology: { ...topology, sources, sinks },
      log: on,
      store,
      logger: quiet,
      clock,
      ...(crashPoints && { crashPoints }),
    });
  }

  async function untilCrashed(crashPoints: ArmedCrashPoints): Promise<void> {
    while (!crashPoints.crashed) await sleep(5);
  }

  async function readLetters() {
    const stream = await log.find(names.deadLetterStream);
    return stream ? (await readDeadLetterBook(stream)).entries : [];
  }

  async function why(row: SinkRow): Promise<WhyReport> {
    const past = await openPast({ log, topology: mended, names, objects: await log.objects(names.checkpointBucket) });
    const setting = { past, topology: mended };
    return reportOf(await explainRow(setting, { sink: 'beds', ...row }), { ...setting, reveal: false });
  }

  it('has taken each row once', () => {
    expect(letters.length).toBeGreaterThan(100);
    expect(
      rows()
        .map(({ event }) => String(event.id))
        .sort(),
    ).toEqual([...lines.keys()].sort());
  });

  it('came in several messages, some of them a part of a request', () => {
    const { ports } = (mended.sources[0] as BoundTopology['sources'][number]).bound;
    const messages = [...(storage.streams.get(names.inputStream(stageName(1)))?.messages.values() ?? [])];
    const ids = messages.flatMap(({ payload }) => {
      const frame = decodeInputFrame(payload, ports.out as Schema);
      return frame.kind === 'source' ? frame.segments.map(({ id }) => id ?? '') : [];
    });
    expect(messages.length).toBeGreaterThan(20);
    expect(ids.filter((id) => /[<>]$/.test(id)).length).toBeGreaterThan(10);
    // What the crash left half done came again.
    expect(new Set(ids).size).toBeLessThan(ids.length);
  });

  it('is that of its dead letter', () => {
    const places = letters.map(({ place }) => place as { file: string; line: number; column: string });
    const known = new Set(lines.values());
    for (const place of places) expect(place).toMatchObject({ file: fileName, column: 'beds' });
    expect(places.filter(({ line }) => !known.has(line))).toEqual([]);
  });

  it(`is told by why, of ${asked} of them`, async () => {
    const redriven = new Set(letters.map(({ place }) => (place as { line: number }).line));
    const lineOf = ({ event }: SinkRow) => lines.get(String(event.id)) as number;
    const mixed = random.shuffle(rows());
    const [again, first] = [true, false].map((is) => mixed.filter((row) => redriven.has(lineOf(row)) === is));
    const chosen = [...(again ?? []).slice(0, asked / 4), ...(first ?? []).slice(0, (3 * asked) / 4)];
    expect(chosen.length).toBe(asked);
    for (const row of chosen) {
      const report = await why(row);
      const line = lineOf(row);
      const isRedriven = redriven.has(line);
      expect(report.replay.verified).toBe(true);
      const causes = report.messages.filter(({ role }) => role === 'cause');
      expect(causes.map(({ kind }) => kind)).toEqual([isRedriven ? 'redrive' : 'message']);
      const header = { column: 'beds', header: 'id,hospital,at,beds,note' };
      expect(causes.map((cause) => cause.sender_place)).toEqual([{ file: fileName, line, ...(isRedriven && header) }]);
      const told = describeReport(report, { all: false }).filter((one) => one.includes('place at the sender'));
      expect(told[0]).toMatch(new RegExp(`: file ${fileName}, line ${line}${isRedriven ? ', ' : '$'}`));
    }
  });
});
