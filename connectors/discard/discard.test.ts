import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../runtime/clock.ts';
import { bindSink } from '../testing/bind.ts';
import { testSinkContext } from '../testing/sink-context.ts';
import { discard } from './index.ts';

describe('discard', () => {
  it('takes every row', async () => {
    const sink = await bindSink(discard, { from: 'upstream' }, { fields: {} }).open(
      testSinkContext({ clock: virtualClock(0) }),
    );
    const row = { event: { bed: 1 }, time: 0, stage: 's1', partition: 0, sequence: 1, index: 0 };
    expect(await sink.write([row], 'token')).toEqual([]);
    await sink.close();
  });
});
