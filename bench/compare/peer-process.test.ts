import { describe, expect, it } from 'vitest';
import type { Contender } from './contenders.ts';
import { startPeer } from './peer-process.ts';
import { waitUntilQuiet } from './quiet.ts';

const request = { query: 'q0', events: 1, seed: 1, rate: 1, disorder: 1 };
const answerWithinMs = 60_000;

function peer(program: string) {
  const contender: Contender = {
    ...{ name: 'odd', title: 'odd', delivery: '', checkpoints: '', state: '', workers: '', needs: [] },
    command: [process.execPath, '-e', program],
    folder: import.meta.dirname,
  };
  return startPeer(contender, answerWithinMs);
}

describe('the process of a peer', () => {
  it('may print what is no answer', async () => {
    const odd = peer(`
      process.stdin.once('data', () => console.log('WARNING: something\\n{broken\\n{"unsupported":"that"}'));`);
    expect(await odd.ask(request)).toEqual({ unsupported: 'that' });
    await odd.stop();
  });

  it('that has ended says so to everybody who asks', async () => {
    const odd = peer(`console.log('no room'); process.stdin.once('data', () => process.exit(7));`);
    const end = { error: 'its process ended (code 7): no room\n' };
    expect(await odd.ask(request)).toEqual(end);
    expect(await odd.ask(request)).toEqual(end);
    await odd.stop();
  });
});

describe('the machine', () => {
  it('is quiet when next to nothing has been done for a moment', async () => {
    const looks = [0, 100, 150, 155].map((busy, at) => ({ busy, all: at * 300 }));
    let look = 0;
    expect(await waitUntilQuiet(() => looks[look++] ?? { busy: 0, all: 0 })).toBe(true);
    expect(look).toBe(4);
  });

  it('is waited for only so long', async () => {
    let all = 0;
    const busy = () => {
      all += 300;
      return { busy: all / 2, all };
    };
    expect(await waitUntilQuiet(busy, 400)).toBe(false);
    expect(all).toBe(300 * 4);
  });
});
