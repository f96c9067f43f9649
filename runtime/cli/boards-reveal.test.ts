import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { connectLog, startNatsServer } from '../bus/index.ts';
import { systemClock } from '../clock.ts';
import { startEngine } from '../execution/engine.ts';
import { deadLettersSeen, engineGraph, versionsSeen } from '../observe/inspect.ts';
import type { Store } from '../store/store.ts';
import type { SourceContext } from '../stream/index.ts';
import { smallCatalogue } from '../testing/small-catalogue.ts';
import { loadTopology } from '../topology/index.ts';
import { revealLetter } from './boards-reveal.ts';
import { main } from './main.ts';

const topologyText = `version: 1
name: beats
sources:
  beats: { pulses: {} }
sinks:
  rows: { collect: { from: beats } }
`;
const logger = { debug() {}, info() {}, warn() {}, error() {} };

describe('mach boards', () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  it('reveals a dead letter once it is written down who looks and why; the view shows it hidden', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mach-reveal-'));
    closing.push(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 }));
    const file = join(folder, 'beats.yaml');
    await writeFile(file, topologyText);
    const server = await startNatsServer({ directory: join(folder, 'nats'), syncAlways: false });
    closing.push(() => server.stop());
    const log = await connectLog({ url: server.url, clock: systemClock() });
    closing.push(() => log.close());
    let source: SourceContext | undefined;
    const catalogue = smallCatalogue({
      write: async () => [],
      answer: async () => null,
      opened: (_id, context) => {
        source = context;
      },
    });
    const { topology } = loadTopology(file, { catalogue, env: {} });
    if (!topology) throw new Error('the topology of the test is wrong');
    const engine = await startEngine({ topology, log, store: {} as Store, logger });
    closing.push(() => engine.stop());
    const raw = Buffer.from('Nguyễn Văn Thử\rnot a pulse');
    const deadLetters = [{ code: 'MACH9901', reason: 'not a pulse', raw, place: { line: 1 } }];
    await (source as SourceContext).append({ origin: 'H1', events: [], deadLetters });
    await engine.settled();

    const seen = await deadLettersSeen(engine, log);
    expect(seen).toMatchObject({ total: 1, counts: [{ node: 'beats', code: 'MACH9901', letters: 1 }] });
    expect(JSON.stringify(seen)).not.toContain('Nguyễn');
    expect(engineGraph(engine)).toMatchObject({
      name: 'beats',
      nodes: [{ id: 'beats' }, { id: 'rows' }],
      edges: [{ from: 'beats', to: 'rows' }],
    });
    expect(await versionsSeen(engine, log)).toMatchObject([{ hash: topology.hash, isRunning: true, changes: [] }]);

    const asked = {
      directory: folder,
      env: { NATS_URL: server.url },
      topology: 'beats',
      reason: 'hồ sơ 12',
      by: 'Trần Thị Thử',
    };
    const letter = seen.letters[0]?.id ?? '';
    expect(await revealLetter({ ...asked, letter })).toEqual({ text: 'Nguyễn Văn Thử\nnot a pulse' });
    const audit = (await readFile(join(folder, 'audit.ndjson'), 'utf8')).trim().split('\n');
    expect(audit.map((line) => JSON.parse(line))).toMatchObject([
      { action: 'boards reveal', topology: 'beats', letter, node: 'beats', reason: 'hồ sơ 12', token: 'Trần Thị Thử' },
    ]);
    await expect(revealLetter({ ...asked, letter: 'ffff' })).rejects.toMatchObject({ code: 'MACH1631' });
    // Where it cannot be written down nothing is shown.
    await expect(revealLetter({ ...asked, letter, directory: file })).rejects.toMatchObject({ code: 'MACH1633' });
  });

  it.each([
    [['--listen', '0.0.0.0:0'], 'MACH3308'],
    [['--listen', 'here'], 'MACH1620'],
    [['--tokens', 'nowhere.yaml'], 'MACH3307'],
    [['--data', 'nowhere'], 'MACH3311'],
    [['token', 'Nguyễn Văn Thử', '--roles', 'rule'], 'MACH1620'],
  ])('%j is refused before anything starts', async (words, code) => {
    const { err, exitCode } = await mach(words);
    expect(err).toContain(code);
    expect(exitCode).not.toBe(0);
  });

  it('makes a token that only its hash is kept of', async () => {
    const { out, err, exitCode } = await mach(['token', 'Nguyễn Văn Thử', '--roles', 'view,operate']);
    expect(exitCode).toBe(0);
    const token = /^token: (\S{32})$/m.exec(err)?.[1];
    expect(token).toBeDefined();
    expect(out).not.toContain(token);
    expect(out).toMatch(
      /^tokens:\n {2}- name: "Nguyễn Văn Thử"\n {4}roles: \[view, operate\]\n {4}sha256: [0-9a-f]{64}\n$/,
    );
  });
});

async function mach(words: readonly string[]): Promise<{ exitCode: number; out: string; err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const loadCatalogue = async () => ({ catalogue: smallCatalogue(), errorLists: [] });
  const exitCode = await main(['boards', ...words], { version: 'test', env: {}, stdout, stderr, loadCatalogue });
  const read = (stream: PassThrough) => (stream.read() as Buffer | null)?.toString() ?? '';
  return { exitCode, out: read(stdout), err: read(stderr) };
}
