import { describe, expect, it } from 'vitest';
import { createLogger } from './logger.ts';

function linesOf(plain: boolean): string[] {
  const lines: string[] = [];
  const redact = (text: string) => text.replaceAll('2026', '${env:TOKEN}').replaceAll('"quoted"', '(secret)');
  const logger = createLogger({ plain, redact, write: (line) => lines.push(line) });
  logger.info({ token: 'it is 2026', rows: 120_260, nested: { list: ['2026'] } }, 'with "quoted" and 2026');
  return lines;
}

describe('a logger that takes secrets out', () => {
  it('leaves the numbers of a line as they are, so that it stays JSON', () => {
    const { time, ...line } = JSON.parse(linesOf(false)[0] ?? '');
    expect(line).toEqual({
      level: 30,
      token: 'it is ${env:TOKEN}',
      rows: 120_260,
      nested: { list: ['${env:TOKEN}'] },
      msg: 'with (secret) and ${env:TOKEN}',
    });
    expect(Number.isNaN(Date.parse(time))).toBe(false);
  });

  it('does so in plain lines too', () => {
    expect(linesOf(true)[0]).toMatch(/with \(secret\) and \$\{env:TOKEN\} {2}token=it is \$\{env:TOKEN\} rows=120260/);
  });
});
