/** `enrich` with another `set` while events wait for answers: with fewer fields they go on, with others the change is refused. */
import { expect, it } from 'vitest';
import { enrich } from '../operators/enrich/enrich.ts';
import type { OperatorDefinition } from '../runtime/stream/operator-definition.ts';
import { openLab } from '../runtime/testing/engine-lab.ts';

const topologyOf = (set: string) => `version: 1
name: lab
sources: { beats: { pulses: {}, disorder: 0s } }
operators:
  asked: { enrich: { from: beats, url: 'http://registry.example/{id}', set: { ${set} } } }
sinks:
  rows: { collect: { from: asked } }
`;
const [both, fewer, more, another] = [
  topologyOf('beds: int, name: string'),
  topologyOf('name: string'),
  topologyOf('beds: int, name: string, city: string'),
  topologyOf('beds: string, name: string'),
];

it('keeps what waits where fields are taken out alone', async () => {
  const definition = enrich as OperatorDefinition;
  const lab = openLab({
    topology: both,
    operators: [
      {
        ...definition,
        bind(args) {
          const bound = definition.bind(args);
          // The first is answered last: the others have their answers, and wait for it.
          const ask = async ({ id }: { id?: unknown }) => {
            await lab.clock.sleep(id === 'p0' ? 20_000 : 100);
            return { beds: 7, name: `of ${id}` };
          };
          const lookup = bound.lookup && { ...bound.lookup, ask, timeoutMs: 60_000 };
          return { ...bound, ...(lookup && { lookup }) };
        },
      },
    ],
  });
  const process = await lab.start();
  for (let second = 0; second < 4; second++) {
    const event = { id: `p${second}`, hospital: 'H1', value: second, patient: null };
    await lab.drive(process.source('beats').append({ origin: 'one', events: [{ event, time: second * 1_000 }] }), 100);
  }
  await lab.clock.advance(1_000);
  for (const refused of [more, another])
    await expect(process.upgrade(refused)).rejects.toMatchObject({
      code: 'MACH3223',
      message: expect.stringContaining('asked'),
    });
  expect(lab.events('rows')).toEqual([]);
  expect(await process.upgrade(fewer)).toMatchObject({ applied: true });
  await lab.clock.advance(30_000);
  await lab.settle(process);
  const row = (id: string, value: number) => ({ id, hospital: 'H1', value, patient: null, name: `of ${id}` });
  expect(lab.events('rows')).toEqual([row('p0', 0), row('p1', 1), row('p2', 2), row('p3', 3)]);
});
