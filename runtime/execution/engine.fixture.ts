/** What tests of a running engine share: a topology that numbers events, and its sender. */
import type { Lab, LabProcess } from '../testing/engine-lab.ts';

export const numbering = `
version: 1
name: lab
sources: { calls: { pulses: {}, idle: 30d } }
operators: { order: { numbered: { from: calls } } }
sinks: { rows: { collect: { from: order } } }
`;

let times = 1_700_000_000_000;

export function append(
  process: LabProcess,
  ids: readonly string[],
  more: { id?: string; mark?: string; value?: number } = {},
) {
  const { value = 1, ...rest } = more;
  const events = ids.map((id) => ({ event: { id, hospital: 'H1', value, patient: null }, time: times++ }));
  return process.source('calls').append({ origin: 'H1', events, ...rest });
}

export async function send(
  lab: Lab,
  process: LabProcess,
  ids: readonly string[],
  more: Parameters<typeof append>[2] = {},
) {
  await lab.drive(append(process, ids, more));
  await lab.settle(process);
}

export const numbersOf = (lab: Lab) => lab.events('rows').map(({ id, number }) => `${id}=${number}`);
