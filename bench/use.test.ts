import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { check } from './compare/baseline.ts';
import { run as compare } from './compare/run.ts';
import { run as log } from './log/run.ts';

const commands = { compare, log, 'check-baseline': check };

describe('wrong use of the bench', () => {
  it.each([
    ['compare', ['--runs', '0'], '--runs is a whole number from 1'],
    ['compare', ['--events', 'abc'], '--events is a whole number from 1'],
    ['compare', ['--check-events', '0'], '--check-events is a whole number from 1'],
    ['compare', ['--rate', '0'], '--rate is a whole number from 1'],
    ['compare', ['--disorder', '1906'], '--disorder is no multiple of 953'],
    ['compare', ['--warm-up', '5'], '--warm-up is a time such as 10s'],
    ['compare', ['--query', 'q1,q99'], 'not "q99"'],
    ['compare', ['--peer', 'spark'], 'not "spark"'],
    ['compare', ['--over', 'all'], '--over is generator or objects, not "all"'],
    ['log', ['--seconds', 'abc'], '--seconds is a whole number from 1'],
    ['log', ['--runs', '0'], '--runs is a whole number from 1'],
    ['log', ['--only', 'half'], '--only is append or through, not "half"'],
    ['check-baseline', ['--query', 'q99'], 'not "q99"'],
    ['check-baseline', ['--runs', 'x'], '--runs is a whole number from 1'],
  ] as const)('%s %j is refused before anything is measured', async (name, args, reason) => {
    await expect(commands[name]([...args])).rejects.toThrow(reason);
  });

  const bench = (...args: string[]) => promisify(execFile)(process.execPath, ['bench/start.mjs', 'main.ts', ...args]);

  it('ends with code 2, says what is known, and that a file cannot be written before all is measured', async () => {
    await expect(bench('log', '--wrong')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/Unknown option '--wrong'[\s\S]*\[--only append\|through\]/),
    });
    await expect(bench('hl7', '--json', '/nowhere/result.json')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--json /nowhere/result.json: there is no such folder'),
    });
    expect((await bench('insert', '--help')).stdout).toContain('insert: rows into the embedded store  [--for 1s]');
  });
});
