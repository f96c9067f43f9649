/** A small disk really fills, for root and, in a namespace, for everybody; and the folder of the machine is as it was before. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { intoNamespace, mounting } from './namespace.ts';

const disk = fileURLToPath(new URL('./disk.ts', import.meta.url));

/** Says what a write meets while the disk is full, and after it was emptied. */
const script = (directory: string) => `
import { writeFileSync, readdirSync } from 'node:fs';
const { mountSmallDisk } = await import(${JSON.stringify(disk)});
const disk = mountSmallDisk(${JSON.stringify(directory)}, 8);
if (!disk) { console.log('not mounted'); process.exit(0); }
const attempt = () => { try { writeFileSync(${JSON.stringify(join(directory, 'row'))}, 'a row'); return 'written'; } catch ({ code }) { return code; } };
disk.fill();
const full = attempt();
disk.empty();
console.log([full, attempt(), readdirSync(${JSON.stringify(directory)}).join()].join(' '));
disk.unmount();
`;

function outcomeOf(prefix: readonly string[]): { said: string; left: readonly string[] } {
  const directory = mkdtempSync(join(tmpdir(), 'mach-disk-'));
  const place = join(directory, 'place');
  mkdirSync(place);
  writeFileSync(join(place, 'before'), '');
  try {
    const parameters = [...prefix, process.execPath, '--import', 'tsx', '--input-type=module', '-e', script(place)];
    const [program = '', ...rest] = parameters;
    const { stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8' });
    return { said: `${stdout}${stderr}`.trim(), left: readdirSync(place) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const whole = { said: 'ENOSPC written row', left: ['before'] };

it('where it can be mounted, which is found out by doing it', () => {
  const where = mounting();
  if (where === 'here') expect(outcomeOf([])).toEqual(whole);
  else expect(outcomeOf([]).said).toBe('not mounted');
  if (where === 'in a namespace') expect(outcomeOf(intoNamespace)).toEqual(whole);
});

it('without root in a namespace, where the system has these', () => {
  const hasNamespaces =
    existsSync('/proc/self/ns/user') && spawnSync(intoNamespace[0], [...intoNamespace.slice(1), 'true']).status === 0;
  if (hasNamespaces) expect(outcomeOf(intoNamespace)).toEqual(whole);
  // The run says then that it has skipped what needs a disk.
  else expect(() => execFileSync(intoNamespace[0], [...intoNamespace.slice(1), 'true'])).toThrow();
});
