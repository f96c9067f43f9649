import { expect, it } from 'vitest';
import { virtualClock } from '../clock.ts';
import { limits } from '../limits.ts';
import type { Logger } from '../stream/definition.ts';
import { boundedLines } from './bounded-lines.ts';

const { logLinesOfKindMax, logLineKindsMax, logLinesPeriodMs } = limits;

function lab() {
  const lines: { level: keyof Logger; fields: object; message: string }[] = [];
  const write = (level: keyof Logger) => (fields: object, message: string) =>
    void lines.push({ level, fields, message });
  const clock = virtualClock();
  const under: Logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  return { lines, clock, logger: boundedLines(under, clock) };
}

it('writes so many lines of a kind in a period, and says then how many more there were', async () => {
  const { lines, clock, logger } = lab();
  const flood = logLinesOfKindMax + 7;
  for (let line = 1; line <= flood; line++)
    logger.warn({ node: 'wards', code: 'MACH2010', connection: line }, `message ${line} is refused`);
  expect(lines).toHaveLength(logLinesOfKindMax);
  logger.warn({ node: 'clinics', code: 'MACH2010' }, 'one of another node');
  logger.error({ node: 'wards', code: 'MACH2010' }, 'one of another level');
  expect(lines.slice(logLinesOfKindMax).map(({ message }) => message)).toEqual([
    'one of another node',
    'one of another level',
  ]);

  await clock.advance(logLinesPeriodMs);
  expect(lines.slice(logLinesOfKindMax + 2)).toEqual([
    {
      level: 'warn',
      fields: { node: 'wards', code: 'MACH2010', leftOut: 7, newest: `message ${flood} is refused` },
      message: 'more lines of this kind were left out (logLinesOfKindMax)',
    },
  ]);
  logger.warn({ node: 'wards', code: 'MACH2010' }, 'the next period');
  expect(lines.at(-1)?.message).toBe('the next period');
});

it('takes texts that differ each time for one kind once there are too many', async () => {
  const { lines, clock, logger } = lab();
  const flood = logLineKindsMax + logLinesOfKindMax + 5;
  for (let line = 1; line <= flood; line++) logger.info({}, `read ECONNRESET ${line}`);
  expect(lines).toHaveLength(logLineKindsMax + logLinesOfKindMax);
  await clock.advance(logLinesPeriodMs);
  expect(lines.at(-1)).toMatchObject({ level: 'info', fields: { leftOut: 5, newest: `read ECONNRESET ${flood}` } });
});

it('says it at the end, too', async () => {
  const { lines, clock, logger } = lab();
  for (let line = 0; line <= logLinesOfKindMax; line++) logger.warn({}, 'the same');
  logger.end();
  expect(lines.at(-1)).toMatchObject({ level: 'warn', fields: { leftOut: 1, newest: 'the same' } });
  const written = lines.length;
  await clock.advance(logLinesPeriodMs);
  expect(lines).toHaveLength(written);
});

it('leaves nothing out for who asks for everything', () => {
  const { lines, logger } = lab();
  for (let line = 0; line <= logLinesOfKindMax; line++) logger.debug({}, 'the same');
  expect(lines).toHaveLength(logLinesOfKindMax + 1);
});
