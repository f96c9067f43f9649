/** A running topology on a log in memory: starts, restarts, refusals, two owners. */
import { describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { type Lab, type LabProcess, openLab } from '../testing/engine-lab.ts';
import { listCheckpoints } from './checkpoint.ts';
import { append, numbering, numbersOf, send } from './engine.fixture.ts';

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
    // Another one has appended since: its sender is told, and sends again.
    await expect(lab.drive(append(one, ['c']))).rejects.toMatchObject({ code: 'MACH3001' });
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
