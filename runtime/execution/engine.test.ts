/** A running topology on a log in memory: starts, restarts, refusals, drain, look-ups, two owners. */
import { describe, expect, it } from 'vitest';
import { faultPlan } from '../bus/memory/faults.ts';
import { noCrashPoints } from '../faults.ts';
import { limits } from '../limits.ts';
import { type Lab, type LabProcess, openLab } from '../testing/engine-lab.ts';
import { listCheckpoints } from './checkpoint.ts';
import { openOutputPublisher } from './output-publisher.ts';

const numbering = `
version: 1
name: lab
sources: { calls: { pulses: {}, idle: 30d } }
operators: { order: { numbered: { from: calls } } }
sinks: { rows: { collect: { from: order } } }
`;

let times = 1_700_000_000_000;

function append(
  process: LabProcess,
  ids: readonly string[],
  more: { id?: string; mark?: string; value?: number } = {},
) {
  const { value = 1, ...rest } = more;
  const events = ids.map((id) => ({ event: { id, hospital: 'H1', value, patient: null }, time: times++ }));
  return process.source('calls').append({ origin: 'H1', events, ...rest });
}

async function send(lab: Lab, process: LabProcess, ids: readonly string[], more: Parameters<typeof append>[2] = {}) {
  await lab.drive(append(process, ids, more));
  await lab.settle(process);
}

const numbersOf = (lab: Lab) => lab.events('rows').map(({ id, number }) => `${id}=${number}`);

async function checkpoint(lab: Lab, process: LabProcess) {
  await lab.drive(process.engine?.stage.checkpoint() as Promise<void>);
}

/** Damages the newest checkpoint as a broken disk would: its pieces are the largest messages of the bucket. */
function damageNewestCheckpoint(lab: Lab): void {
  const bucket = [...lab.storage.streams].find(([name]) => name.includes('checkpoints'))?.[1];
  const pieces = [...(bucket?.messages.values() ?? [])].filter(({ payload }) => payload.length > 500);
  const newest = pieces.at(-1);
  if (!newest) throw new Error('there is no checkpoint to damage');
  const at = newest.payload.length - 10;
  newest.payload[at] = (newest.payload[at] ?? 0) ^ 0xff;
}

describe('restart', () => {
  it('goes on from the newest checkpoint, and with the marks of senders', async () => {
    const lab = openLab({ topology: numbering });
    const first = await lab.start();
    expect(first.source('calls').mark('H1')).toBeUndefined();
    await send(lab, first, ['a', 'b'], { mark: 'after b' });
    await checkpoint(lab, first);
    await send(lab, first, ['c'], { mark: 'after c' });
    first.kill();
    const second = await lab.start();
    expect(second.engine?.stage.restoredAt).toBe(1);
    expect(second.source('calls').mark('H1')).toBe('after c');
    await send(lab, second, ['d']);
    expect(numbersOf(lab)).toEqual(['a=1', 'b=2', 'c=3', 'd=4']);
    // What was out before the crash was made again, and dropped.
    expect(second.engine?.stage.publishers.get('rows')?.repeated).toBe(1);
  });

  it('without any checkpoint replays the log from its beginning', async () => {
    const lab = openLab({ topology: numbering });
    const first = await lab.start();
    await send(lab, first, ['a', 'b']);
    first.kill();
    const second = await lab.start();
    expect(second.engine?.stage.restoredAt).toBe(0);
    await send(lab, second, ['c']);
    expect(numbersOf(lab)).toEqual(['a=1', 'b=2', 'c=3']);
  });

  it('passes a damaged checkpoint over for the one before it', async () => {
    const lab = openLab({ topology: numbering });
    const first = await lab.start();
    await send(lab, first, ['a']);
    await checkpoint(lab, first);
    await send(lab, first, ['b']);
    await checkpoint(lab, first);
    damageNewestCheckpoint(lab);
    first.kill();
    const second = await lab.start();
    expect(second.engine?.stage.restoredAt).toBe(1);
    expect(second.logged).toContainEqual(expect.objectContaining({ level: 'warn', message: 'checkpoint passed over' }));
    await send(lab, second, ['c']);
    expect(numbersOf(lab)).toEqual(['a=1', 'b=2', 'c=3']);
  });

  it('keeps limits.checkpointsKept checkpoints', async () => {
    const lab = openLab({ topology: numbering });
    const process = await lab.start();
    for (const id of ['a', 'b', 'c', 'd', 'e']) {
      await send(lab, process, [id]);
      await checkpoint(lab, process);
    }
    const places = await listCheckpoints(await process.log.objects('mach-lab-checkpoints'));
    expect(places.filter(({ kind }) => kind === 'kept')).toHaveLength(limits.checkpointsKept);
  });

  it('keeps a history beside them', async () => {
    const lab = openLab({ topology: numbering });
    const process = await lab.start();
    for (let n = 0; n < 8; n++) {
      await send(lab, process, [`e${n}`]);
      await checkpoint(lab, process);
      await lab.clock.advance(limits.checkpointHistoryEveryMs / 2);
    }
    const places = await listCheckpoints(await process.log.objects('mach-lab-checkpoints'));
    const history = places.filter(({ kind }) => kind === 'history').map(({ sequence }) => sequence);
    // Every second of them.
    expect(history).toEqual([1, 3, 5, 7]);
  });

  it('goes on when a checkpoint cannot be stored, says so, and takes the next one', async () => {
    const lab = openLab({ topology: numbering });
    let isFull = true;
    const process = await lab.start({
      checkpointEveryMs: 1_000,
      prepare(points) {
        const { at } = points;
        points.at = (name) => {
          if (isFull && name === 'checkpoint.before-put') throw new Error('the disk is full');
          at(name);
        };
      },
    });
    await send(lab, process, ['a']);
    await lab.clock.advance(3_000);
    expect(process.engine?.state).toBe('running');
    expect(process.engine?.stage.checkpointProblem).toBe('the disk is full');
    expect(process.logged.map(({ message }) => message)).toContain('no checkpoint could be taken');
    isFull = false;
    await send(lab, process, ['b']);
    await lab.clock.advance(3_000);
    expect(process.engine?.stage.checkpointProblem).toBeNull();
    process.kill();
    const second = await lab.start();
    expect(second.engine?.stage.restoredAt).toBe(2);
    expect(numbersOf(lab)).toEqual(['a=1', 'b=2']);
  });

  it('counts a request that is sent again once, also after a restart', async () => {
    const lab = openLab({ topology: numbering });
    const first = await lab.start();
    await send(lab, first, ['a'], { id: 'r1' });
    await send(lab, first, ['a'], { id: 'r1' });
    await checkpoint(lab, first);
    first.kill();
    const second = await lab.start();
    await send(lab, second, ['a'], { id: 'r1' });
    await send(lab, second, ['b'], { id: 'r2' });
    expect(numbersOf(lab)).toEqual(['a=1', 'b=2']);
    expect(second.engine?.stage.machine.accounting.dropped_by_reason).toEqual({ 'appended twice': 2 });
  });
});

describe('a request that is sent again', () => {
  it('brings what no decoder could read once, and the dead letters of others in the same message all', async () => {
    const lab = openLab({ topology: numbering });
    const process = await lab.start();
    const letter = (raw: string) => ({
      deadLetters: [{ code: 'MACH9901', reason: 'not a pulse', raw: new TextEncoder().encode(raw), place: {} }],
    });
    await send(lab, process, ['a'], { id: 'r1', ...letter('x') });
    await lab.drive(
      Promise.all([
        append(process, ['a'], { id: 'r1', ...letter('x') }),
        append(process, ['b'], { id: 'r2', ...letter('y') }),
      ]),
    );
    await lab.settle(process);
    expect(numbersOf(lab)).toEqual(['a=1', 'b=2']);
    const { machine } = process.engine?.stage ?? {};
    expect(machine?.accounting).toMatchObject({ in: 5, delivered: 2, dropped: 1, dead_lettered: 2 });
  });
});

describe('a start that would lose something', () => {
  const changed = numbering.replace('from: calls }', 'from: calls, first: 100 }');

  it('with a node that has changed is refused (MACH3205), until the loss is accepted', async () => {
    const lab = openLab({ topology: numbering });
    const first = await lab.start();
    await send(lab, first, ['a']);
    await checkpoint(lab, first);
    first.kill();
    const topology = changed;
    await expect(lab.start({ topology })).rejects.toMatchObject({ code: 'MACH3205', data: { nodes: 'order' } });
    await expect(lab.start({ topology, acceptLoss: ['another'] })).rejects.toMatchObject({ code: 'MACH3205' });
    const second = await lab.start({ topology, acceptLoss: ['order'] });
    expect(second.engine?.state).toBe('running');
    expect(second.engine?.stage.restoredAt).toBe(1);
    await send(lab, second, ['b']);
    expect(numbersOf(lab)).toEqual(['a=1', 'b=100']);
  });

  it('on a log that ends before its checkpoint is refused (MACH3207), until the loss is accepted', async () => {
    const lab = openLab({ topology: numbering });
    const first = await lab.start();
    await send(lab, first, ['a']);
    await send(lab, first, ['b']);
    await checkpoint(lab, first);
    first.kill();
    for (const name of [...lab.storage.streams.keys()]) if (!name.includes('checkpoints')) lab.storage.wipe(name);
    await expect(lab.start()).rejects.toMatchObject({ code: 'MACH3207', data: { last: 0, sequence: 2 } });
    const second = await lab.start({ acceptLoss: ['log'] });
    await send(lab, second, ['c']);
    await send(lab, second, ['d']);
    await send(lab, second, ['e']);
    expect(numbersOf(lab)).toEqual(['a=1', 'b=2', 'c=3', 'd=4', 'e=5']);
    second.kill();
    // The new log is longer now than the old one was when its checkpoint was taken: that one must not come back.
    const third = await lab.start();
    expect(third.engine?.stage.restoredAt).toBe(0);
    await send(lab, third, ['f']);
    expect(numbersOf(lab).slice(5)).toEqual(['f=6']);
  });

  it('on a log that ends before its results is refused as well; then the results go on', async () => {
    const lab = openLab({ topology: numbering });
    const first = await lab.start();
    await send(lab, first, ['a']);
    await send(lab, first, ['b']);
    first.kill();
    lab.storage.wipe('mach-lab-s1-in');
    await expect(lab.start()).rejects.toMatchObject({ code: 'MACH3207', data: { last: 0, sequence: 2 } });
    const second = await lab.start({ acceptLoss: ['log'] });
    await send(lab, second, ['c']);
    await send(lab, second, ['d']);
    expect(numbersOf(lab)).toEqual(['a=1', 'b=2', 'c=1', 'd=2']);
  });
});

describe('a mistake of an operator', () => {
  it('stops the stage before the event (MACH3208), names the node, and loses nothing', async () => {
    const broken = numbering
      .replace('operators: {', 'operators: { frail: { breaks: { from: calls, at: 7 } },')
      .replace('numbered: { from: calls', 'numbered: { from: frail');
    const lab = openLab({ topology: broken });
    const first = await lab.start();
    await send(lab, first, ['a']);
    await lab.drive(append(first, ['b', 'c'], { value: 7 }));
    const failure = await lab.drive(first.engine?.failed as Promise<unknown>);
    expect(failure).toMatchObject({ code: 'MACH3208', data: { node: 'frail', reason: 'cannot bear 7' } });
    expect(first.engine?.state).toBe('failed');
    // The half of a message that was handled must not be saved.
    await checkpoint(lab, first).catch(() => undefined);
    first.kill();
    const again = await lab.start();
    expect(await lab.drive(again.engine?.failed as Promise<unknown>)).toMatchObject({ code: 'MACH3208' });
    again.kill();
    const mended = await lab.start({ topology: broken.replace('at: 7', 'at: 8') });
    await lab.settle(mended);
    expect(numbersOf(lab)).toEqual(['a=1', 'b=2', 'c=3']);
  });
});

describe('two owners', () => {
  it('that make the same of the same log write it once', async () => {
    const lab = openLab({ topology: numbering });
    const one = await lab.start();
    await send(lab, one, ['a']);
    const two = await lab.start();
    await lab.drive(append(two, ['b']));
    await lab.drive(append(one, ['c']));
    await lab.drive(lab.clock.sleep(5_000));
    expect(numbersOf(lab)).toEqual(['a=1', 'b=2', 'c=3']);
  });

  it('that differ are found out by the fence: one stops (MACH3203), nothing comes twice', async () => {
    const lab = openLab({ topology: numbering });
    const older = await lab.start();
    await send(lab, older, ['a']);
    // Another one has published in this one's place.
    const stream = await older.log.stream({
      name: 'mach-lab-s1-out',
      subjects: ['mach.lab.s1.out.>'],
      durability: 'disk',
    });
    const newest = await stream.last('mach.lab.s1.out.rows.0');
    await lab.drive(stream.append('mach.lab.s1.out.rows.0', newest?.payload as Uint8Array, { id: 'another' }));
    await lab.drive(append(older, ['b']));
    const failure = await lab.drive(older.engine?.failed as Promise<unknown>);
    expect(failure).toMatchObject({ code: 'MACH3203', data: { stage: 's1', partition: 0 } });
    expect(older.engine?.state).toBe('failed');
  });
});

describe('drain', () => {
  it('answers what it owes, writes everything and saves it', async () => {
    const lab = openLab({ topology: numbering });
    const first = await lab.start();
    const owed = append(first, ['a', 'b']);
    await lab.drive(first.engine?.drain() as Promise<void>);
    await owed;
    expect(numbersOf(lab)).toEqual(['a=1', 'b=2']);
    expect(first.engine?.state).toBe('stopped');
    const second = await lab.start();
    expect(second.engine?.stage.restoredAt).toBe(1);
    expect(second.engine?.stage.publishers.get('rows')?.repeated).toBe(0);
  });

  it('of a sink that does not get on ends at the deadline (MACH3206); the rows come after the next start', async () => {
    let away = true;
    const lab = openLab({
      topology: numbering,
      edges: {
        async write() {
          if (away) throw new Error('the store is away');
          return [];
        },
      },
    });
    const first = await lab.start();
    await lab.drive(append(first, ['a']));
    const drained = first.engine?.drain(50) as Promise<void>;
    await expect(lab.drive(drained)).rejects.toMatchObject({ code: 'MACH3206' });
    expect(lab.events('rows')).toEqual([]);
    away = false;
    const second = await lab.start();
    await lab.settle(second);
    expect(numbersOf(lab)).toEqual(['a=1']);
  });
});

describe('sink', () => {
  it('tries again until the store is back, with one token and growing pauses', async () => {
    const tokens: string[] = [];
    const lab = openLab({
      topology: numbering,
      edges: {
        async write(_sink, _rows, token) {
          tokens.push(token);
          if (tokens.length < 6) throw new Error('the store is away');
          return [];
        },
      },
    });
    const process = await lab.start();
    const before = lab.clock.now();
    await send(lab, process, ['a']);
    expect(new Set(tokens).size).toBe(1);
    expect(process.engine?.sinks.get('rows')?.counts).toMatchObject({ rows: 1, retries: 5 });
    // Half of 100 + 200 + 400 + 800 + 1600 ms at least.
    expect(lab.clock.now() - before).toBeGreaterThanOrEqual(1_550);
    expect(process.engine?.sinks.get('rows')?.problem).toBeNull();
  });

  it('puts rows that can never be written with the dead letters, and goes on', async () => {
    const lab = openLab({
      topology: numbering,
      edges: {
        write: async (_sink, rows) =>
          rows.filter(({ event }) => event.id === 'b').map((row) => ({ row, code: 'MACH3102', reason: 'too large' })),
      },
    });
    const process = await lab.start();
    await send(lab, process, ['a', 'b', 'c']);
    expect(process.engine?.sinks.get('rows')?.counts).toMatchObject({ rows: 2, dead: 1 });
    expect(lab.storage.streams.get('mach-lab-dead')?.lastSequence).toBe(1);
  });
});

describe('look-ups', () => {
  const asking = `
version: 1
name: lab
sources: { calls: { pulses: {}, idle: 30d } }
operators: { asked: { ask: { from: calls, order: ORDER, concurrency: 2, timeout: 1s } } }
sinks: { rows: { collect: { from: asked } } }
`;
  const answersOf = (lab: Lab) => lab.events('rows').map(({ id, answer, failure }) => `${id}: ${answer ?? failure}`);

  it.each(['kept', 'free'])('answer in the order that is asked for: %s', async (order) => {
    const waits: Record<string, number> = { a: 300, b: 100, c: 200 };
    const lab = openLab({
      topology: asking.replace('ORDER', order),
      edges: {
        async answer({ id }) {
          await lab.clock.sleep(waits[String(id)] ?? 0);
          return `of ${id}`;
        },
      },
    });
    const process = await lab.start();
    await lab.drive(append(process, ['a', 'b', 'c']));
    await lab.drive(lab.clock.sleep(2_000), 10);
    await lab.settle(process);
    // Two at once: b is done at 100, c at 300 as is a.
    const all = ['a: of a', 'b: of b', 'c: of c'];
    if (order === 'kept') expect(answersOf(lab)).toEqual(all);
    else {
      expect(answersOf(lab)[0]).toBe('b: of b');
      expect(answersOf(lab).sort()).toEqual(all);
    }
  });

  it('say why there is no answer: failed, or none within its time', async () => {
    const lab = openLab({
      topology: asking.replace('ORDER', 'kept'),
      edges: {
        async answer({ id }) {
          if (id === 'a') throw new Error('nobody there');
          return new Promise(() => undefined);
        },
      },
    });
    const process = await lab.start();
    await lab.drive(append(process, ['a', 'b']));
    await lab.drive(lab.clock.sleep(3_000));
    await lab.settle(process);
    expect(answersOf(lab)).toEqual(['a: nobody there', 'b: no answer within 1000 ms']);
  });

  it('are asked again after a crash, and the first answer in the log is the one that counts', async () => {
    let asked = 0;
    const lab = openLab({
      topology: asking.replace('ORDER', 'kept'),
      edges: {
        async answer({ id }) {
          asked++;
          if (id === 'slow' && asked < 3) return new Promise(() => undefined);
          return `answer ${asked}`;
        },
      },
    });
    const first = await lab.start();
    await lab.drive(append(first, ['quick', 'slow']));
    await lab.drive(lab.clock.sleep(200));
    first.kill();
    const second = await lab.start();
    await lab.drive(lab.clock.sleep(2_000));
    await lab.settle(second);
    expect(answersOf(lab)).toHaveLength(2);
    expect(answersOf(lab)[0]).toBe('quick: answer 1');
    expect(answersOf(lab)[1]).toMatch(/^slow: answer \d$/);
  });
});

describe('output publisher', () => {
  it('drops what the log has, and stops for good at the fence', async () => {
    const lab = openLab({ topology: numbering, faults: faultPlan(1, {}) });
    const process = await lab.start();
    const stream = await process.log.stream({ name: 'out', subjects: ['out.>'], durability: 'broker' });
    const failures: unknown[] = [];
    const open = () =>
      openOutputPublisher({
        beginning: 0,
        stream,
        subject: 'out.rows',
        schema: { fields: {} },
        clock: lab.clock,
        crashPoints: noCrashPoints,
        onFailure: (error) => failures.push(error),
      });
    const rows = (sequence: number, index: number, count: number) => ({
      events: Array.from({ length: count }, () => ({})),
      times: Array.from({ length: count }, () => 0),
      sequence,
      index,
      acceptedAt: 0,
    });
    const first = await open();
    for (const run of [rows(1, 0, 2), rows(3, 0, 1)]) first.add(run);
    await lab.drive(first.flushed());
    expect(first.published).toBe(3);

    const second = await open();
    for (const run of [rows(1, 0, 2), rows(3, 0, 2)]) second.add(run);
    await lab.drive(second.flushed());
    expect(second).toMatchObject({ repeated: 3, published: 1 });

    first.add(rows(4, 0, 1));
    await expect(lab.drive(first.flushed())).rejects.toMatchObject({ code: 'MACH3001' });
    first.add(rows(5, 0, 1));
    await expect(lab.drive(first.flushed())).rejects.toMatchObject({ code: 'MACH3001' });
    expect(failures).toHaveLength(1);
    expect((await stream.state()).lastSequence).toBe(2);
  });
});
