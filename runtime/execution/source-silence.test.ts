/** Silence of origins, as a source runner writes it to the log. */
import { describe, expect, it } from 'vitest';
import { faultPlan } from '../bus/memory/faults.ts';
import { limits } from '../limits.ts';
import { pulseSchema } from '../testing/small-catalogue.ts';
import { decodeInputFrame } from './log-frame.ts';
import { idleMs, openRunner, request } from './source-runner.fixture.ts';

describe('silence', () => {
  it('is written to the log after the idle time, again while it lasts, and not once the origin speaks', async () => {
    const { runner, silences, clock } = await openRunner();
    await Promise.all([runner.append(request('H1', ['a'])), clock.advance(0)]);
    await clock.advance(idleMs - 1);
    expect(silences()).toEqual([]);
    await clock.advance(1);
    expect(silences()).toEqual([
      { kind: 'silence', at: clock.now(), idle: [{ origin: 'H1', elapsedMs: idleMs }], closed: [] },
    ]);
    await clock.advance(idleMs);
    expect(silences().map(({ idle }) => idle[0]?.elapsedMs)).toEqual([idleMs, 2 * idleMs]);
    for (let turn = 0; turn < 10; turn++) {
      await Promise.all([runner.append(request('H1', [`b${turn}`])), clock.advance(idleMs / 2)]);
    }
    expect(silences()).toHaveLength(2);
  });

  it('is said of each origin by itself', async () => {
    const { runner, silences, clock } = await openRunner();
    await Promise.all([runner.append(request('H1', ['a'])), clock.advance(0)]);
    for (let turn = 0; turn < 4; turn++) {
      await Promise.all([runner.append(request('H2', [`b${turn}`])), clock.advance(idleMs / 2)]);
    }
    const said = silences().flatMap(({ idle }) => idle.map(({ origin }) => origin));
    expect(new Set(said)).toEqual(new Set(['H1']));
  });

  it('of very many origins has several messages', async () => {
    const origins = Array.from({ length: 2 * limits.silenceOriginsMax + 1 }, (_, at) => `device ${at}`);
    const { silences, clock } = await openRunner({ origins });
    await clock.advance(idleMs);
    expect(silences().map(({ idle }) => idle.length)).toEqual([limits.silenceOriginsMax, limits.silenceOriginsMax, 1]);
    expect(silences().flatMap(({ idle }) => idle.map(({ origin }) => origin))).toEqual(origins);
  });

  it('counts origins from before a restart as heard at the start', async () => {
    const { silences, clock } = await openRunner({ origins: ['H1'] });
    await clock.advance(idleMs - 1);
    expect(silences()).toEqual([]);
    await clock.advance(idleMs);
    expect(silences()[0]?.idle).toEqual([{ origin: 'H1', elapsedMs: idleMs }]);
  });

  it('stands in the log after what the origin sent', async () => {
    const { runner, stream, clock } = await openRunner();
    const sent = runner.append(request('H1', ['a']));
    runner.originClosed('H1');
    await clock.advance(10);
    await sent;
    const kinds = [];
    for (let sequence = 1; sequence <= 2; sequence++) {
      const message = await stream.get(sequence);
      kinds.push(message && decodeInputFrame(message.payload, pulseSchema).kind);
    }
    expect(kinds).toEqual(['source', 'silence']);
  });

  it('of a failed append is said again with the next look', async () => {
    const faults = faultPlan(1, { full: 1 });
    const { silences, clock } = await openRunner({ origins: ['H1'], faults });
    await clock.advance(idleMs);
    expect(silences()).toEqual([]);
    faults.stop();
    await clock.advance(idleMs);
    expect(silences()[0]?.idle[0]?.origin).toBe('H1');
  });

  it('of a source that nobody ever used is said once, and again only when its append failed', async () => {
    const faults = faultPlan(1, { full: 1 });
    const { silences, clock } = await openRunner({ faults });
    await clock.advance(idleMs);
    expect(silences()).toEqual([]);
    faults.stop();
    await clock.advance(3 * idleMs);
    expect(silences()).toEqual([{ kind: 'silence', at: expect.any(Number), idle: [], closed: [], quiet: true }]);
  });

  it('of an origin for originForgetMs closes it, also when the first append of that failed', async () => {
    const { silences, clock, runner, stream } = await openRunner({ origins: ['H1', 'H2'] });
    const append = stream.append.bind(stream);
    await clock.advance(limits.originForgetMs - idleMs);
    void runner.append(request('H2', ['a']));
    await clock.advance(1_000);
    Object.assign(stream, { append: () => Promise.reject(new Error('the disk is full')) });
    await clock.advance(2 * idleMs);
    expect(silences().flatMap(({ closed }) => closed)).toEqual([]);
    Object.assign(stream, { append });
    await clock.advance(2 * idleMs);
    expect(silences().flatMap(({ closed }) => closed)).toEqual(['H1']);
  });
});
