import { expect, it } from 'vitest';
import { virtualClock } from '../clock.ts';
import { limits } from '../limits.ts';
import { startSilenceWatch } from './silence-watch.ts';

const nobody = () => new Set<string>();
const { originForgetMs, silenceOriginsMax } = limits;
const origins = Array.from({ length: 2 * silenceOriginsMax + 1 }, (_, at) => `device ${at}`);

function watchOf(idleMs: number) {
  const clock = virtualClock();
  const watch = startSilenceWatch({ clock, idleMs, origins, onSilence() {} });
  const takeAll = () => {
    const taken = [];
    for (let next = watch.take(nobody); next; next = watch.take(nobody)) taken.push(next);
    return taken;
  };
  return { clock, watch, takeAll };
}

it('forgets very many origins with several messages, all but the last of the source', async () => {
  const { clock, takeAll } = watchOf(originForgetMs);
  await clock.advance(originForgetMs);
  expect(takeAll().flatMap(({ idle }) => idle.map(({ origin }) => origin))).toEqual(origins);
  await clock.advance(originForgetMs);
  const closed = takeAll().map((one) => one.closed);
  expect(Math.max(...closed.map(({ length }) => length))).toBe(silenceOriginsMax);
  expect(closed.flat()).toEqual(origins.slice(0, -1));
});

it('says nothing of an origin that speaks before its silence was taken, nor of one whose events wait', async () => {
  const { clock, watch } = watchOf(1_000);
  await clock.advance(1_000);
  watch.heard('device 0');
  const taken = watch.take(() => new Set(['device 1']));
  expect(taken?.idle[0]).toEqual({ origin: 'device 2', elapsedMs: 1_000 });
});

it('forgets nobody who has spoken since the first message of it', async () => {
  const { clock, watch, takeAll } = watchOf(originForgetMs);
  await clock.advance(originForgetMs);
  takeAll();
  await clock.advance(originForgetMs);
  expect(watch.take(nobody)?.closed).toHaveLength(silenceOriginsMax);
  const last = origins.at(-2) as string;
  watch.heard(last);
  const closed = takeAll().flatMap((one) => one.closed);
  expect(closed).toEqual(origins.slice(silenceOriginsMax, -2));
});

it('says all anew when a message of it was not stored, and the rest is not tried at once', async () => {
  const { clock, watch, takeAll } = watchOf(originForgetMs);
  await clock.advance(originForgetMs);
  takeAll();
  await clock.advance(originForgetMs);
  const first = watch.take(nobody);
  if (first) watch.putBack(first);
  expect(first?.closed).toHaveLength(silenceOriginsMax);
  expect(watch.take(nobody)).toBeUndefined();
  await clock.advance(originForgetMs);
  expect(takeAll().flatMap(({ closed }) => closed)).toEqual(origins.slice(0, -1));
});
