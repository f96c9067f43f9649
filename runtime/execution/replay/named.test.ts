/** Named checkpoints: kept beyond all others, restored whole, and nothing comes twice afterwards. */
import { beforeEach, describe, expect, it } from 'vitest';
import { memoryLog } from '../../bus/memory/log.ts';
import { seededRandom } from '../../random.ts';
import { topologyNames } from '../../topology/names.ts';
import { listCheckpoints } from '../checkpoint.ts';
import { type Lived, labTopology, liveAndDie, replayedTopology, shownRow } from './lab.fixture.ts';
import { type NamedCheckpoints, openNamedCheckpoints } from './named.ts';

describe('named checkpoints', () => {
  let lived: Lived;
  let named: NamedCheckpoints;

  beforeEach(async () => {
    lived = await liveAndDie({ random: seededRandom(23), rounds: 20 });
    named = await openNamedCheckpoints({ log: lived.last.log, topology: 'lab' });
  });

  async function sendOne(id: string): Promise<void> {
    const { lab, last } = lived;
    const event = { id, hospital: 'H1', value: 5, patient: null };
    await lab.drive(last.source('beds').append({ origin: 'H1', events: [{ event, time: lab.clock.now() }] }));
    await lab.settle(last);
  }

  async function takeCheckpoint(): Promise<void> {
    for (const unit of lived.last.engine?.units.values() ?? []) await lived.lab.drive(unit.checkpoint());
  }

  it('stay when the others are thinned out, are listed with what they are, and are deleted by name', async () => {
    await takeCheckpoint();
    const saved = await named.save('before-friday', 1_700_000_500_000);
    for (let n = 0; n < 6; n++) {
      await sendOne(`more-${n}`);
      await takeCheckpoint();
    }
    expect(await named.list(lived.lab.topology)).toEqual([{ ...saved, misfit: null }]);
    expect(saved).toMatchObject({
      name: 'before-friday',
      topology: 'lab',
      partitions: 1,
      hash: lived.lab.topology.hash,
    });
    expect(saved.bytes).toBeGreaterThan(500);
    expect(saved.takenAt).toBeLessThanOrEqual(lived.lab.clock.now());
    await named.delete('before-friday');
    expect(await named.list(lived.lab.topology)).toEqual([]);
    const objects = await lived.last.log.objects(topologyNames('lab').checkpointBucket);
    expect((await listCheckpoints(objects)).filter(({ kind }) => kind === 'named')).toEqual([]);
  });

  it('are what the engine starts from once restored; what it does again comes once', async () => {
    const { lab } = lived;
    await takeCheckpoint();
    const { sequence } = await named.save('early', 1);
    for (let n = 0; n < 4; n++) {
      await sendOne(`more-${n}`);
      await takeCheckpoint();
    }
    const before = lab.sink('rows').rows.map(shownRow);
    lived.last.kill();
    // The process that had opened it is dead.
    const { clock, storage } = lab;
    named = await openNamedCheckpoints({ log: memoryLog({ clock, storage }), topology: 'lab' });
    const { replaced } = await named.restore('early', lab.topology);
    expect(replaced.length).toBeGreaterThan(0);
    const last = await lab.start();
    expect(last.logged.find(({ message }) => message === 'stage restored')?.fields).toMatchObject({ sequence });
    await lab.settle(last);
    lived = { ...lived, last };
    await sendOne('after');
    const rows = lab.sink('rows').rows.map(shownRow);
    expect(rows.slice(0, -1)).toEqual(before);
    expect(rows.at(-1)?.event).toMatchObject({ id: 'after', number: before.length + 1 });
  });

  it('that do not fit are said to, and are not restored (MACH3243)', async () => {
    await takeCheckpoint();
    await named.save('early', 1);
    const changed = labTopology(
      replayedTopology.replace('numbered: { from: both }', 'numbered: { from: both, first: 7 }'),
    );
    expect(await named.list(changed)).toMatchObject([{ misfit: 'the state of order would be lost' }]);
    await expect(named.restore('early', changed)).rejects.toMatchObject({ code: 'MACH3243' });
    lived.lab.storage.wipe('mach-lab-sinks');
    lived.last.kill();
    lived = { ...lived, last: await lived.lab.start() };
    named = await openNamedCheckpoints({ log: lived.last.log, topology: 'lab' });
    expect(await named.list(lived.lab.topology)).toMatchObject([{ misfit: 'it belongs to a log that is gone' }]);
  });

  it('have names of their own (MACH3234, MACH3240, MACH3241), and need a checkpoint to be made of (MACH3242)', async () => {
    await takeCheckpoint();
    await named.save('one', 1);
    await expect(named.save('one', 2)).rejects.toMatchObject({ code: 'MACH3241' });
    await expect(named.save('a/b', 2)).rejects.toMatchObject({ code: 'MACH3234' });
    await expect(named.delete('two')).rejects.toMatchObject({ code: 'MACH3240' });
    const empty = await openNamedCheckpoints({ log: lived.last.log, topology: 'other' });
    await expect(empty.save('one', 1)).rejects.toMatchObject({ code: 'MACH3242' });
  });
});
