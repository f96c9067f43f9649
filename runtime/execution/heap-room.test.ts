import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { startObserveServer } from '../observe/http-server.ts';
import { openLab } from '../testing/engine-lab.ts';
import { CheckpointRoom } from './checkpoint-room.ts';
import { append, numbering, numbersOf, send } from './engine.fixture.ts';
import { HeapRoom, processHeap } from './heap-room.ts';

const percent = (value: number) => value * 1_000;

describe('room in the heap', () => {
  it('is roomy, scarce and full by what lives, and goes on later than it was stopped', () => {
    const heap = new HeapRoom(100_000);
    const told: string[] = [];
    const unfollow = heap.follow((state) => told.push(state));
    const at = [10, limits.heapScarcePercent, 89, limits.heapFullPercent, 89, limits.heapGoesOnPercent, 84, 95, 10];
    const states = at.map((value) => {
      heap.note(percent(value));
      return heap.state;
    });
    expect(states).toEqual(['roomy', 'scarce', 'scarce', 'full', 'full', 'full', 'scarce', 'full', 'roomy']);
    expect(told).toEqual(['scarce', 'full', 'scarce', 'full', 'roomy']);
    unfollow();
    heap.note(percent(99));
    expect(told).toHaveLength(5);
  });

  it('counts what is kept free for something, as much as it is at the time', () => {
    const heap = new HeapRoom(100_000, percent(60));
    let bytes = 0;
    const release = heap.reserve(() => bytes);
    expect(heap.state).toBe('roomy');
    bytes = percent(30);
    heap.look();
    expect([heap.state, heap.reservedBytes]).toEqual(['full', percent(30)]);
    release();
    heap.look();
    expect([heap.state, heap.reservedBytes]).toEqual(['roomy', 0]);
  });

  it('lets nobody wait for ever: it wakes who waits when there is room, and when the wait is given up', async () => {
    const heap = new HeapRoom(100_000, percent(95));
    const ending = new AbortController();
    let woken = 0;
    const count = () => void woken++;
    const waiting = heap.whenRoom(new AbortController().signal).then(count);
    const givenUp = heap.whenRoom(ending.signal).then(count);
    heap.note(percent(94));
    await sleep(5);
    expect(woken).toBe(0);
    ending.abort();
    await givenUp;
    expect(woken).toBe(1);
    heap.note(percent(10));
    await waiting;
    expect(woken).toBe(2);
  });

  it('learns from a checkpoint what one takes, and until then takes a guess', () => {
    const heap = new HeapRoom(2 ** 40);
    let keys = 20_000;
    let used = 50_000_000;
    const room = new CheckpointRoom(
      heap,
      () => keys,
      () => used,
    );
    expect(heap.reservedBytes).toBe(keys * limits.checkpointKeyBytes);
    const copy = (bytes: number, encoded = 0) =>
      room.copy(() => {
        used += bytes;
        return new Uint8Array(encoded);
      });
    copy(keys * 720);
    expect(heap.reservedBytes).toBe(keys * 720);
    keys = 40_000;
    expect(heap.reservedBytes).toBe(keys * 720);
    // A collection came between: nothing is learnt, or what was made is known to be as large as that.
    copy(-1_000_000, keys * 50);
    expect(heap.reservedBytes).toBe(keys * 720);
    copy(keys, keys * 50);
    expect(heap.reservedBytes).toBe(keys * 50);
    // Of so few keys it tells too little.
    keys = limits.checkpointKeysKnown - 1;
    copy(keys * 900);
    expect(heap.reservedBytes).toBe(keys * 50);
    room.close();
    expect(heap.reservedBytes).toBe(0);
  });

  it('learns from the heap of this process', () => {
    const heap = new HeapRoom(2 ** 40);
    const keys = 20_000;
    const room = new CheckpointRoom(heap, () => keys);
    const guess = heap.reservedBytes;
    const made: unknown[] = [];
    // Several, as a collection may come while one is made.
    for (let copies = 0; copies < 50 && heap.reservedBytes === guess; copies++)
      room.copy(() => {
        for (let key = 0; key < keys; key++) made.push({ key, more: [key, key + 0.5, key + 0.25, key + 0.125] });
        return new Uint8Array();
      });
    expect(heap.reservedBytes).not.toBe(guess);
    room.close();
  });

  it('of this process is what V8 allows for old objects, and what lives in it', () => {
    const { limitBytes, liveBytes } = processHeap();
    expect(processHeap().limitBytes).toBe(limitBytes);
    expect(liveBytes).toBeGreaterThan(1_000_000);
    expect(liveBytes).toBeLessThan(limitBytes);
  });
});

describe('room for the checkpoints of an engine', () => {
  it('is kept while it runs, and no longer', async () => {
    const lab = openLab({ topology: numbering });
    const heap = new HeapRoom(2 ** 40);
    const process = await lab.start({ heap });
    await send(lab, process, ['a', 'b']);
    expect(heap.reservedBytes).toBeGreaterThan(0);
    await lab.drive(process.engine?.stop() ?? Promise.reject(new Error('the engine has not started')));
    expect(heap.reservedBytes).toBe(0);
  });

  it('is not taken from the process that simulates it: a simulated one dies without a word', async () => {
    const lab = openLab({ topology: numbering });
    const before = processHeap().reservedBytes;
    const process = await lab.start();
    await send(lab, process, ['a', 'b']);
    process.kill();
    expect(processHeap().reservedBytes).toBe(before);
  });
});

describe('a stage whose heap is full', () => {
  it('handles no more, takes no checkpoint and says so, and goes on where it stopped', async () => {
    const lab = openLab({ topology: numbering });
    const heap = new HeapRoom(100_000);
    const process = await lab.start({ heap });
    const { engine } = process;
    if (!engine) throw new Error('the engine has not started');
    const server = await startObserveServer({ engine, clock: lab.clock, host: '127.0.0.1', port: 0 });
    try {
      await send(lab, process, ['a']);
      heap.note(percent(95));
      const checkpoints = engine.stage.counts.checkpoints;
      for (const id of ['b', 'c', 'd']) await lab.drive(append(process, [id]));
      await lab.clock.advance(60_000);
      // One message was under way when the heap was found to be full.
      expect(numbersOf(lab)).toEqual(['a=1', 'b=2']);
      expect(engine.stage.counts.checkpoints).toBe(checkpoints);
      // Whoever needs one is told.
      const [unit] = engine.units.values();
      await expect(unit?.checkpoint()).rejects.toMatchObject({ code: 'MACH3255' });
      const said = process.logged.filter(({ level }) => level === 'error').map(({ message }) => message);
      expect(said).toEqual([
        expect.stringMatching(/heap of this process is full, no more is handled: .*most keys: order 1/),
      ]);
      const ready = (await (await fetch(`${server.url}/readyz`)).json()) as { ready: boolean; reasons: string[] };
      expect(ready).toEqual({ ready: false, reasons: [engine.heapProblem] });
      expect(await (await fetch(`${server.url}/metrics`)).text()).toContain(
        `mach_heap_live_bytes{topology="lab"} ${percent(95)}`,
      );
      heap.note(percent(20));
      await lab.settle(process);
      expect(numbersOf(lab)).toEqual(['a=1', 'b=2', 'c=3', 'd=4']);
      expect(engine.heapProblem).toBeNull();
    } finally {
      await server.close();
    }
  });

  it('is no start: one that does not come through the log for it ends, and the next one with room has all', async () => {
    const lab = openLab({ topology: numbering });
    const first = await lab.start();
    await send(lab, first, ['a']);
    for (const id of ['b', 'c', 'd']) await lab.drive(append(first, [id]));
    first.kill();
    await expect(lab.start({ heap: new HeapRoom(100_000, percent(95)) })).rejects.toMatchObject({ code: 'MACH3254' });
    const last = await lab.start();
    await lab.settle(last);
    expect(numbersOf(lab)).toEqual(['a=1', 'b=2', 'c=3', 'd=4']);
  });
});
