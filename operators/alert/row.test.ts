import { expect, it } from 'vitest';
import { alertId } from './row.ts';

const raisedAt = Date.UTC(2026, 2, 2, 8);

it.each([
  ['Chợ Rẫy', 'Ch%E1%BB%A3%20R%E1%BA%ABy'],
  ['a/b,c%', 'a%2Fb%2Cc%25'],
  ['😀', '%F0%9F%98%80'],
  // No URI has half a pair of characters, and no key may stop the engine.
  ['x\ud83d', 'x%uD83D'],
  ['\ude00x', '%uDE00x'],
  ['\ud83d\ud83d\ude00', '%uD83D%F0%9F%98%80'],
])('an alert is named by its key: %j', (hospital, written) => {
  expect(alertId('waits', ['hospital'], { hospital }, raisedAt)).toBe(`waits/${written}/2026-03-02T08:00:00.000Z`);
});
