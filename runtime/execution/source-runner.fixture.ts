import { noFaults } from '../bus/memory/faults.ts';
import { memoryLog } from '../bus/memory/log.ts';
import { virtualClock } from '../clock.ts';
import { noCrashPoints } from '../faults.ts';
import { EventColumns } from '../stream/event-columns.ts';
import type { AppendRequest } from '../stream/source-definition.ts';
import { pulseSchema } from '../testing/small-catalogue.ts';
import { decodeInputFrame, type SilenceFrame, type SourceFrame } from './log-frame.ts';
import { startSourceRunner } from './source-runner.ts';

const spec = { name: 'in', subjects: ['in.>'], durability: 'disk' } as const;
export const idleMs = 60_000;

export async function openRunner(
  options: { origins?: string[]; faults?: typeof noFaults; appendDeadlineMs?: number; windowMs?: number } = {},
) {
  const clock = virtualClock(1_700_000_000_000);
  const { faults = noFaults, appendDeadlineMs = 30_000, windowMs = 0 } = options;
  const log = memoryLog({ clock, faults, appendDeadlineMs });
  const stream = await log.stream(spec);
  const runner = startSourceRunner({
    node: 'adt',
    schema: pulseSchema,
    idleMs,
    stream,
    subject: 'in.adt.0',
    clock,
    crashPoints: noCrashPoints,
    origins: options.origins ?? [],
    windowMs,
  });
  const frames = () =>
    [...(log.storage.streams.get('in')?.messages.values() ?? [])].map(({ payload }) =>
      decodeInputFrame(payload, pulseSchema),
    );
  return {
    clock,
    runner,
    stream,
    sources: () => frames().filter((frame): frame is SourceFrame => frame.kind === 'source'),
    silences: () => frames().filter((frame): frame is SilenceFrame => frame.kind === 'silence'),
    ids: () =>
      frames().flatMap((frame) => (frame.kind === 'source' ? frame.events.map((event) => String(event.id)) : [])),
  };
}

export function request(origin: string, ids: readonly string[], more: Partial<AppendRequest> = {}): AppendRequest {
  const events = ids.map((id) => ({ event: { id, hospital: origin, value: 1, patient: null }, time: 1_000 }));
  return { origin, events, ...more };
}

/** The same events, so many of the last as columns. */
export function lastAsColumns(all: AppendRequest['events'], count: number): Pick<AppendRequest, 'events' | 'columns'> {
  const last = all.slice(all.length - count);
  const names = ['id', 'hospital', 'value', 'patient'];
  const values = names.map((name) => last.map(({ event }) => event[name]));
  const events = new EventColumns(names, values, { length: last.length });
  return { events: all.slice(0, all.length - count), columns: { events, times: last.map(({ time }) => time) } };
}

export const idsOf = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);
