import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import type { CommandContext } from '../runtime/cli/context.ts';
import { CommandExit } from '../runtime/cli/exit-codes.ts';
import { register } from './command.ts';

async function run(line: string): Promise<{ printed: string; errors: string; thrown: unknown }> {
  const printed: string[] = [];
  const errors: string[] = [];
  const context: CommandContext = {
    version: '0',
    env: {},
    loadCatalogue: () => Promise.reject(new Error('not needed')),
    print: (text) => void printed.push(text),
    printError: (text) => void errors.push(text),
    isTerminal: false,
    terminalWidth: undefined,
    color: false,
    loadTopology: () => Promise.reject(new Error('not needed')),
  };
  const program = new Command('mach').exitOverride().configureOutput({
    writeOut: (text) => void printed.push(text),
    writeErr: (text) => void errors.push(text),
  });
  register(program, context);
  let thrown: unknown = null;
  try {
    await program.parseAsync(line.split(' '), { from: 'user' });
  } catch (error) {
    thrown = error;
  }
  return { printed: printed.join('\n'), errors: errors.join('\n'), thrown };
}

describe('mach simulate city', () => {
  it('plays an hour into a folder and prints what was said, as words and as JSON', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'city-'));
    try {
      const line = `simulate city --hospitals 2 --seed 3 --for 1h --speed max --start 2026-03-02T07:00:00+07:00 --truth ${folder}`;
      const { printed, errors, thrown } = await run(line);
      expect(thrown).toBeNull();
      expect(printed).toMatch(/^City 3, ordinary, 2 hospitals, 2026-03-02T00:00:00.000Z to 2026-03-02T01:00:00.000Z$/m);
      expect(printed).toMatch(/^truth {6}120 hospital minutes/m);
      expect(errors).toContain('sending what is left');
      expect((await readdir(folder)).sort()).toEqual(['summary.json', 'truth.csv', 'visits.csv']);
      const json = JSON.parse((await run(`${line} --json`)).printed);
      expect(json).toMatchObject({ seed: 3, hospitals: 2, truth: { rows: 120 } });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('shows the scenarios in its help', async () => {
    const { printed, thrown } = await run('simulate city --help');
    expect(thrown).toBeInstanceOf(CommanderError);
    for (const name of ['ordinary', 'surge', 'mass-casualty', 'silent-feed', 'clock-skew'])
      expect(printed).toContain(name);
  });

  for (const [flags, message] of [
    ['--scenario flood', /"flood" is not a scenario; there are ordinary, surge/],
    ['--speed fast', /a number, such as 60, or max/],
    ['--for 1', /a duration, such as 30m/],
    ['--hospitals 0', /a whole number from 1 to 500/],
    ['--start yesterday', /an ISO time/],
    ['--hl7 2575', /host:port/],
  ] as const) {
    it(`refuses ${flags}`, async () => {
      const { errors, thrown } = await run(`simulate city ${flags}`);
      expect(thrown).toBeInstanceOf(CommanderError);
      expect(errors).toMatch(message);
    });
  }

  it('asks for somebody to speak to, and for an end when there is no pace', async () => {
    const silent = await run('simulate city --for 1h');
    expect(silent.thrown).toMatchObject({ exitCode: 2, message: expect.stringContaining('MACH1706') });
    const endless = await run('simulate city --speed max --truth nowhere');
    expect(endless.thrown).toBeInstanceOf(CommandExit);
    expect(endless.thrown).toMatchObject({ message: expect.stringContaining('MACH1702') });
  });
});
