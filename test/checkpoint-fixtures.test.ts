/**
 * Checkpoints that earlier versions wrote (`runtime/execution/fixtures/checkpoints/`): each is taken up and goes on with the rows that it
 * gave then, or is refused with a reason. How to add one: CONTRIBUTING.md.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeCheckpoint, encodeCheckpoint } from '../runtime/execution/checkpoint.ts';
import { adoptSnapshot, refusedLosses, stateVerdicts } from '../runtime/execution/upgrade/adopt.ts';
import { fixtureFolder, fixtureMachine, loadFixture, plainRows, readStory } from './checkpoint-fixture.ts';

const names = readdirSync(fixtureFolder).flatMap((file) => (file.endsWith('.checkpoint') ? [file.slice(0, -11)] : []));
const bytesOf = (name: string) => readFileSync(join(fixtureFolder, `${name}.checkpoint`));

describe.each(names)('the checkpoint %s', (name) => {
  const story = readStory(name);

  it('goes on with the rows that it gave then', () => {
    const { head, snapshot } = decodeCheckpoint(name, bytesOf(name));
    expect(head.sequence).toBe(story.sequence);
    const topology = loadFixture(story.topology);
    expect(refusedLosses(stateVerdicts(head, topology), new Set())).toEqual([]);
    const { machine, rows, feed } = fixtureMachine(topology);
    machine.restore(adoptSnapshot(snapshot, head, topology));
    feed(story.messages, story.sequence + 1);
    machine.finish();
    expect(plainRows(rows)).toEqual(story.rows);
  });

  it('is refused with a reason when a node means something else', () => {
    const { head } = decodeCheckpoint(name, bytesOf(name));
    const changed = loadFixture(story.topology.replace('by: id,', 'by: [id, hospital],'));
    const refused = refusedLosses(stateVerdicts(head, changed), new Set());
    expect(refused.map(({ node }) => node)).toEqual(['once']);
    expect(refused[0]?.reason).toMatch(/its state hangs on|it changed since/);
  });

  it('is used whole or not at all', () => {
    const whole = bytesOf(name);
    for (const cut of [0, 1, 10, 40, whole.length >> 1, whole.length - 1]) {
      expect(() => decodeCheckpoint(name, whole.subarray(0, cut))).toThrowError(
        expect.objectContaining({ code: 'MACH3204' }),
      );
    }
    const flipped = Uint8Array.from(whole);
    flipped[flipped.length - 100] = (flipped[flipped.length - 100] as number) ^ 1;
    expect(() => decodeCheckpoint(name, flipped)).toThrowError('its checksum is wrong');
  });
});

it('every format that was ever written has a checkpoint here, the one of now too', () => {
  const formats = names.map((name) => bytesOf(name).readUInt8(4 + 'MACHCP'.length));
  const topology = loadFixture(readStory('format-1').topology);
  const head = { topology: 'fixture', hash: topology.hash, fingerprints: {}, sequence: 0, node: 'test' };
  const now = Buffer.from(encodeCheckpoint({ head, snapshot: fixtureMachine(topology).machine.snapshot() }));
  const current = now.readUInt8(4 + 'MACHCP'.length);
  for (let format = 1; format <= current; format++) expect(formats).toContain(format);
});

it('a format of the future is refused with its number', () => {
  const future = Uint8Array.from(bytesOf('format-1'));
  future[4 + 'MACHCP'.length] = 99;
  expect(() => decodeCheckpoint('future', future)).toThrowError('its format is 99');
});
