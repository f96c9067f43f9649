import { expect, it } from 'vitest';
import { forwardLine } from './forward-lines.ts';

const line = '{"level":30,"time":"2026-03-02T00:00:00.000Z","source":"adt","msg":"source open"}';

it('writes lines of workers as this process writes its own, with their names', () => {
  expect(forwardLine('w1', line, { plain: true })).toBe('00:00:00 info  source open  source=adt worker=w1');
  expect(JSON.parse(forwardLine('w1', line, { plain: false }))).toEqual({ ...JSON.parse(line), worker: 'w1' });
});

it('lets words through that are no log line', () => {
  expect(forwardLine('w2', 'MACH3205  starting would lose state', { plain: true })).toBe(
    'w2: MACH3205  starting would lose state',
  );
  expect(forwardLine('w2', '{"no":"message"}', { plain: false })).toBe('w2: {"no":"message"}');
});
