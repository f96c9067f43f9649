/** `mach why --open` of a key of several fields. */
import { expect, it } from 'vitest';
import { catalogue } from '../catalogue.ts';
import { StageMachine } from '../runtime/execution/stage-machine.ts';
import { describeOpenKey } from '../runtime/execution/why/open-key.ts';
import { loadTopology } from '../runtime/topology/index.ts';

const text = `version: 1
name: wards
sources:
  beds:
    file-drop: { folder: ./beds, format: csv, schema: { hospital: string, ward: int, at: timestamp }, time: at }
operators:
  free:
    aggregate: { from: beds, key: [hospital, ward], window: { tumbling: 1h }, values: { n: count() } }
sinks:
  rows:
    discard: { from: free }
`;

it('of a key with one value in place of two says how keys are written', async () => {
  const readFile = () => new TextEncoder().encode(text);
  const { topology } = loadTopology('wards.yaml', { catalogue, env: {}, readFile });
  if (!topology) throw new Error('the topology does not load');
  const machine = new StageMachine(topology, { rows() {}, question() {} });
  machine.handle(1, 'beds', {
    kind: 'source',
    acceptedAt: 1,
    segments: [{ origin: 'beds', events: 1 }],
    deadLetters: [],
    events: [{ hospital: 'H1', ward: 3, at: 60_000 }],
    times: [60_000],
  });
  const ask = (key: string) =>
    describeOpenKey({
      topology,
      node: 'free',
      key,
      stages: [machine.view()],
      asOf: { kind: 'engine', at: null, name: null },
      now: undefined,
      lastWord: async () => undefined,
    });
  expect(await ask('H1,3')).toMatchObject({ known: true, note: null });
  expect(await ask('H1, 4')).toMatchObject({
    known: false,
    note: expect.stringContaining('keeps nothing for this key'),
  });
  const note = 'a key of the node has 2 values, separated by commas: hospital,ward';
  expect(await ask('H1')).toMatchObject({ known: false, note });
  expect(await ask('H1,3,5')).toMatchObject({ known: false, note });
});
