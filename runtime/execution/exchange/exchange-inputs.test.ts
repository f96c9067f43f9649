/** The exchanges that enter a partition, as edges. */
import { expect, it } from 'vitest';
import type { Frame } from '../../stream/frame.ts';
import { openLab } from '../../testing/engine-lab.ts';
import { spreadTopology } from '../../topology/spread.ts';
import { ExchangeInputs } from './exchange-inputs.ts';

const topology = `
version: 1
name: lab
sources: { beds: { pulses: {} } }
operators:
  windows: { totals: { from: beds, every: 10s } }
  counted: { numbered: { from: windows } }
sinks:
  numbers: { collect: { from: counted } }
`;

it('of an exchange whose lanes all go to another partition nothing is said after a restart, not even an end', () => {
  const plan = spreadTopology(openLab({ topology }).topology, 2);
  const [exchange] = plan.exchanges;
  const said = [0, 1].map((partition) => {
    const inputs = new ExchangeInputs({ plan, stage: 2, partition });
    const frames: Frame[] = [];
    inputs.frames(exchange?.id ?? '').subscribe((frame) => frames.push(frame));
    inputs.restore(new ExchangeInputs({ plan, stage: 2, partition }).snapshot());
    inputs.sayAnew();
    return frames;
  });
  expect(said).toEqual([[], []]);
});
