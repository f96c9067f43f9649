/** `mach dead-letter` against a real NATS server, with an engine beside it and without. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectLog, type Log, type NatsServer, startNatsServer } from '../../bus/index.ts';
import { type Engine, startEngine } from '../../execution/engine.ts';
import type { Store } from '../../store/store.ts';
import type { SourceContext } from '../../stream/source-definition.ts';
import { smallCatalogue } from '../../testing/small-catalogue.ts';
import { loadTopology } from '../../topology/load.ts';
import { main } from '../main.ts';

const topologyText = `version: 1
name: beats
sources:
  beats: { pulses: {} }
operators:
  checked: { refuses: { from: beats } }
sinks:
  rows: { collect: { from: checked } }
`;

const logger = { debug() {}, info() {}, warn() {}, error() {} };

describe('mach dead-letter', () => {
  let folder: string;
  let file: string;
  let server: NatsServer;
  let log: Log;
  const ids: unknown[] = [];

  async function mach(...argv: string[]) {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const loadCatalogue = async () => ({ catalogue: smallCatalogue(), errorLists: [] });
    const env = { NATS_URL: server.url };
    const code = await main(['dead-letter', ...argv], { version: 'test', env, stdout, stderr, loadCatalogue });
    const read = (stream: PassThrough) => (stream.read() as Buffer | null)?.toString() ?? '';
    return { code, out: read(stdout), err: read(stderr) };
  }

  async function withEngine<T>(work: (engine: Engine, source: SourceContext) => Promise<T>): Promise<T> {
    let source: SourceContext | undefined;
    const catalogue = smallCatalogue({
      opened: (_id, context) => {
        source = context;
      },
      write: async (_sink, rows) => {
        ids.push(...rows.map(({ event }) => event.id));
        return [];
      },
      answer: async () => null,
    });
    const { topology } = loadTopology(file, { catalogue, env: {} });
    if (!topology) throw new Error('the topology of the test is wrong');
    const engine = await startEngine({ topology, log, store: {} as Store, logger });
    try {
      return await work(engine, source as SourceContext);
    } finally {
      await engine.drain();
    }
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mach-letters-'));
    file = join(folder, 'beats.yaml');
    await writeFile(file, topologyText);
    server = await startNatsServer({ directory: join(folder, 'nats'), syncAlways: false });
    log = await connectLog({ url: server.url });
  });

  afterAll(async () => {
    await log.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
  });

  it('lists nothing of a topology that has never run, and makes nothing', async () => {
    expect(await mach('list', file)).toEqual({ code: 0, out: 'no dead letters\n', err: '' });
    expect(await log.find('mach-beats-dead')).toBeUndefined();
    expect(await mach('redrive', file, '--all')).toMatchObject({
      code: 0,
      out: '0 went in again, 0 had been redriven before, 0 cannot go in\n',
    });
  });

  it('lists letters with their state, by node, code and time, and counts them', async () => {
    await withEngine(async (engine, source) => {
      const deadLetters = ['b H1 2 20', 'not yet', 'c H1 3 30'].map((raw, at) => ({
        code: 'MACH9901',
        reason: 'not a pulse',
        raw: Buffer.from(raw),
        place: { line: at + 1 },
      }));
      const event = { id: 'none', hospital: 'H1', value: null, patient: 'Nguyễn Văn Thử' };
      await source.append({ origin: 'H1', events: [{ event, time: 1_000 }], deadLetters });
      await engine.settled();
    });
    const { code, out } = await mach('list', file);
    expect(code).toBe(0);
    const lines = out.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^letter +since \(UTC\) +node +code +tries +state +reason$/);
    expect(lines[1]).toMatch(
      /^[0-9a-f]{12} {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}beats +MACH9901 {2}1 +open +not a pulse$/,
    );
    expect(lines.slice(-3).map((line) => line.split(/ {2,}/))).toEqual([
      ['node', 'code', 'letters', 'open', 'redriven', 'failed again'],
      ['beats', 'MACH9901', '3', '3', '0', '0'],
      ['checked', 'MACH9902', '1', '1', '0', '0'],
    ]);
    const listed = async (...flags: string[]) => JSON.parse((await mach('list', file, '--json', ...flags)).out);
    expect((await listed('--node', 'checked')).letters).toMatchObject([
      { kind: 'operator', node: 'checked', input: 'from', sequence: 1, attempts: 1, state: 'open' },
    ]);
    expect(await listed('--code', 'mach9901', '--limit', '2')).toMatchObject({ letters: [{}, {}], left_out: 1 });
    expect((await listed('--since', '2199-01-01T00:00:00Z')).letters).toEqual([]);
    expect((await listed('--since', '1h')).letters).toHaveLength(4);
  });

  it('shows a letter by the beginning of its id, and what points at a person only to who signs for it', async () => {
    const [decode, , , operator] = JSON.parse((await mach('list', file, '--json')).out).letters;
    const shown = await mach('show', file, operator.id.slice(0, 6), '--data', folder);
    expect(shown.out).toContain('"patient": "•••"');
    expect(shown.out).toMatch(/^why +MACH9902 {2}no value$/m);
    const hidden = await mach('show', file, decode.id, '--data', folder);
    expect(hidden.out).toMatch(/^holds +9 bytes$/m);
    // By a hash who guesses a name could tell that the guess is right.
    expect((await mach('show', file, decode.id, '--data', folder, '--json')).out).not.toContain('sha256');
    expect(hidden.out).not.toContain('b H1');
    const revealed = await mach(
      'show',
      file,
      operator.id,
      '--reveal',
      '--reason',
      'a test',
      '--json',
      '--data',
      folder,
    );
    expect(JSON.parse(revealed.out).content.event).toMatchObject({ patient: 'Nguyễn Văn Thử' });
    const audit = (await readFile(join(folder, 'audit.ndjson'), 'utf8')).trim().split('\n');
    expect(audit.map((line) => JSON.parse(line))).toMatchObject([
      { action: 'dead-letter show', topology: 'beats', letter: operator.id, node: 'checked', reason: 'a test' },
    ]);
    // Where it cannot be written down nothing is shown.
    const refused = await mach('show', file, operator.id, '--reveal', '--reason', 'a test', '--data', file);
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toContain('MACH1633');
  });

  it('redrives what is asked for; what waits for an engine says so, and what failed again leads on', async () => {
    const dry = await mach('redrive', file, '--node', 'beats', '--dry-run');
    expect(dry.out).toBe(
      '3 would go in again (1 of them still cannot be decoded), 0 had been redriven before, 0 cannot go in\n',
    );
    expect(dry.err).toMatch(/^[0-9a-f]{12} {2}beats {2}still cannot be decoded: MACH9901 not a pulse\n$/);
    expect((await mach('redrive', file, '--node', 'beats')).out).toMatch(/^3 went in again \(1 of them still/);
    const states = async () =>
      JSON.parse((await mach('list', file, '--json')).out).letters.map(
        ({ state, outcomes }: { state: string; outcomes: object }) => [state, outcomes],
      );
    expect(await states()).toEqual([
      ['waiting', null],
      ['waiting', null],
      ['waiting', null],
      ['open', null],
    ]);
    await withEngine((engine) => engine.settled());
    expect(ids).toEqual(['b', 'c']);
    expect(await states()).toEqual([
      ['redriven', { delivered: 1 }],
      ['failed again', { dead_lettered: 1 }],
      ['redriven', { delivered: 1 }],
      ['open', null],
      ['open', null],
    ]);
    const letters = JSON.parse((await mach('list', file, '--json')).out).letters;
    expect(letters[4]).toMatchObject({ attempts: 2, first: letters[1].id, previous: letters[1].id });
    expect(letters[1].next).toBe(letters[4].id);
    const named = await mach('redrive', file, letters[0].id, '--json');
    expect(JSON.parse(named.out)).toMatchObject({ redriven: 0, before: 1, letters: [{ outcome: 'before' }] });
  });

  it('ends with 1 when there is one that cannot go in', async () => {
    await writeFile(file, topologyText.replaceAll('checked', 'examined'));
    const { code, err } = await mach('redrive', file, '--node', 'checked');
    await writeFile(file, topologyText);
    expect(code).toBe(1);
    // It was never started: the version that was would handle it.
    expect(err).toContain('checked  cannot go in: another version of the topology was started last');
  });

  it.each([
    [['redrive'], 'MACH1632'],
    [['redrive', '--all', '--rate', '0'], 'MACH1620  --rate does not take "0"'],
    [['redrive', '--all', '--wait', 'long'], 'MACH1620  --wait does not take "long"'],
    [['list', '--since', 'soon'], 'MACH1620  --since does not take "soon"'],
    [['list', '--limit', 'x'], 'MACH1620  --limit does not take "x"'],
    [['show', 'abcdefabcdef'], 'there is none that begins so'],
    [['show', 'abc'], '4 characters are needed'],
    [['show', 'xyz1'], 'an id has the digits 0 to 9 and the letters a to f'],
  ])('%j is a wrong command line', async ([command = '', ...args], message) => {
    const { code, out, err } = await mach(command, file, ...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
  });

  it('says that nothing has run where there is no log (MACH1630)', async () => {
    const stderr = new PassThrough();
    const code = await main(['dead-letter', 'list', file, '--data', join(folder, 'nothing')], {
      version: 'test',
      env: {},
      stdout: new PassThrough(),
      stderr,
      loadCatalogue: async () => ({ catalogue: smallCatalogue(), errorLists: [] }),
    });
    expect(code).toBe(2);
    expect(String(stderr.read())).toContain('MACH1630');
  });

  it('starts the server of a data folder that nobody runs on, and ends it again', async () => {
    const data = join(folder, 'data');
    const embedded = await startNatsServer({ directory: join(data, 'nats'), syncAlways: false });
    const own = await connectLog({ url: embedded.url });
    await own.stream({ name: 'mach-beats-dead', subjects: ['mach.beats.dead.>'], durability: 'disk' });
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const options = {
      version: 'test',
      env: {},
      stdout,
      stderr,
      loadCatalogue: async () => ({ catalogue: smallCatalogue(), errorLists: [] }),
    };
    // By the server that runs, then by one of its own; the folder is free again afterwards.
    expect(await main(['dead-letter', 'list', file, '--data', data], options)).toBe(0);
    await own.close();
    await embedded.stop();
    expect(await main(['dead-letter', 'list', file, '--data', data], options)).toBe(0);
    expect(String(stdout.read())).toBe('no dead letters\nno dead letters\n');
    const next = await startNatsServer({ directory: join(data, 'nats'), syncAlways: false });
    await next.stop();
  });
});
