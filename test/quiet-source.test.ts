/** A source that nobody ever uses holds nobody back: alarms are raised on time without it. */
import { expect, it } from 'vitest';
import { catalogue } from '../catalogue.ts';
import { StageMachine } from '../runtime/execution/stage-machine.ts';
import { loadTopology } from '../runtime/topology/index.ts';

const minuteMs = 60_000;
const start = Date.parse('2026-03-02T10:00:00+07:00');

it('time goes on past a source that never heard anyone', () => {
  const { topology } = loadTopology('topologies/emergency-overload.yaml', { catalogue, env: {} });
  if (!topology) throw new Error('the topology does not load');
  const machine = new StageMachine(topology, { rows() {}, question() {} });
  const report = { hospital: 'H1', reported_at: start, ed_beds: 10, hospital_beds: 100 };
  const bedFile = (sequence: number, time: number) =>
    machine.handle(sequence, 'beds', {
      kind: 'source',
      acceptedAt: 1,
      segments: [{ origin: 'H1', events: 1 }],
      deadLetters: [],
      events: [{ ...report, reported_at: time }],
      times: [time],
    });
  bedFile(1, start);
  bedFile(2, start + 10 * minuteMs);
  expect(machine.runner('register')?.watermark).toBe(start + 10 * minuteMs);
  expect(machine.runner('with_beds')?.watermark).toBe(Number.NEGATIVE_INFINITY);
  machine.handle(3, 'adt', { kind: 'silence', idle: [], closed: [], quiet: true });
  machine.handle(4, 'centre', { kind: 'silence', idle: [], closed: [], quiet: true });
  bedFile(5, start + 20 * minuteMs);
  expect(machine.runner('with_beds')?.watermark).toBe(start + 20 * minuteMs);
});
