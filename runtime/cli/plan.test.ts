import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { smallCatalogue } from '../testing/small-catalogue.ts';
import { main } from './main.ts';

const folder = mkdtempSync(join(tmpdir(), 'mach-plan-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, { min = 0, first = 1 } = {}): string {
  const path = join(folder, `${name}.yaml`);
  const operators = `operators:\n  kept: { keep: { from: beds, min: ${min} } }\n  order: { numbered: { from: kept, first: ${first} } }`;
  writeFileSync(
    path,
    `version: 1\nname: planned\nsources: { beds: { pulses: {} } }\n${operators}\nsinks: { rows: { collect: { from: order } } }\n`,
  );
  return path;
}

async function mach(...argv: string[]) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const read = (stream: PassThrough) => (stream.read() as Buffer | null)?.toString() ?? '';
  const loadCatalogue = async () => ({ catalogue: smallCatalogue(), errorLists: [] });
  const code = await main(argv, { version: '1.2.3', env: {}, stdout, stderr, loadCatalogue });
  return { code, out: read(stdout), err: read(stderr) };
}

describe('mach plan', () => {
  const old = file('old');
  const kept = file('kept', { min: 3 });
  const lossy = file('lossy', { first: 5 });

  it('ends with 0 when nothing is lost', async () => {
    const { code, out } = await mach('plan', old, kept);
    expect(code).toBe(0);
    expect(out).toMatch(/kept +changed, state kept\n +min: 0 becomes 3\n/);
    expect(out).toMatch(/order +unchanged\n/);
    expect(out).toMatch(/beds +unchanged, stays open\n/);
    expect((await mach('plan', old, old)).out).toContain('Nothing changes.');
  });

  it('ends with 1 when state would be lost, and with 0 once that is accepted', async () => {
    const { code, out } = await mach('plan', old, lossy);
    expect(code).toBe(1);
    expect(out).toMatch(/order +STATE LOST\n/);
    expect(out).toContain('--accept-loss order');
    const accepted = await mach('plan', old, lossy, '--accept-loss', 'order');
    expect(accepted).toMatchObject({ code: 0, out: expect.stringMatching(/order +state lost, as accepted\n/) });
  });

  it('prints JSON for scripts', async () => {
    const { code, out } = await mach('plan', old, lossy, '--json');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      topology: 'planned',
      same: false,
      lost: ['order'],
      operators: [
        { node: 'kept', verdict: 'unchanged' },
        { node: 'order', verdict: 'lost' },
      ],
      tables: [{ table: 'collected', verdict: 'unchanged' }],
    });
  });

  it('says when there is nothing live to compare with', async () => {
    const { code, err } = await mach('plan', 'live', kept, '--data', join(folder, 'nothing'));
    expect(code).not.toBe(0);
    expect(err).toContain('MACH1625');
  });
});
