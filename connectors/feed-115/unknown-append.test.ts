/** Appends whose outcome nobody knows, because the log went away at that moment; the centre connects again meanwhile. */
import { expect, it, vi } from 'vitest';
import { type FaultRates, faultPlan } from '../../runtime/bus/memory/faults.ts';
import { memoryLog } from '../../runtime/bus/memory/log.ts';
import { virtualClock } from '../../runtime/clock.ts';
import { decodeInputFrame } from '../../runtime/execution/log-frame.ts';
import { startSourceRunner } from '../../runtime/execution/source-runner.ts';
import { noCrashPoints } from '../../runtime/faults.ts';
import { limits } from '../../runtime/limits.ts';
import type { Schema } from '../../runtime/stream/index.ts';
import { bindSource } from '../testing/bind.ts';
import { recordedLog, testContext, until } from '../testing/source-context.ts';
import { feed115 } from './index.ts';
import { openStub } from './stub.ts';
import type { Item, PublishRequest, PublishResponse } from './wire.ts';

// So that a few requests are more than is held back.
vi.mock('../../runtime/limits.ts', async (original) => {
  const { limits: all } = await original<typeof import('../../runtime/limits.ts')>();
  return { limits: { ...all, groupCommitPendingEventsMax: 8, heldBackEventsMax: 16 } };
});

const now = Date.UTC(2026, 2, 2);
const units = (from: number, to: number): Item[] =>
  Array.from({ length: to - from + 1 }, (_, index) => ({
    unit: { unit_id: `XE-${from + index}`, reported_ms: now - 1000 },
  }));

/** A feed on a log with faults. Its stage has handled nothing yet, so that the marks say nothing of what is stored. */
async function openFeed(rates: FaultRates) {
  const clock = virtualClock(now);
  const faults = faultPlan(1, rates);
  const log = memoryLog({ clock, faults });
  const stream = await log.stream({ name: 'in', subjects: ['in.>'], durability: 'disk' });
  const bound = bindSource(feed115, { listen: '127.0.0.1:0' });
  const schema = bound.ports.out as Schema;
  const runner = startSourceRunner({
    node: 'centre',
    schema,
    idleMs: 3_600_000,
    stream,
    subject: 'in.centre.0',
    clock,
    crashPoints: noCrashPoints,
    origins: [],
    windowMs: 0,
  });
  const context = { ...testContext(recordedLog(), { clock }), append: runner.append, mark: () => undefined };
  const running = await bound.open(context);
  const connect = async () => {
    const stub = await openStub(running.address);
    const call = stub.publish();
    const responses: PublishResponse[] = [];
    let error: string | undefined;
    call.on('data', (response: PublishResponse) => void responses.push(response));
    call.on('error', (reason: Error) => {
      error = reason.message;
    });
    const write = (request: PublishRequest) => void call.write(request);
    const close = () => {
      call.cancel();
      stub.close();
    };
    return { responses, write, error: () => error, close };
  };
  const stored = () =>
    [...(log.storage.streams.get('in')?.messages.values() ?? [])].flatMap(({ payload }) => {
      const frame = decodeInputFrame(payload, schema);
      return frame.kind === 'source' ? frame.events.map(({ unit_id }) => unit_id) : [];
    });
  return { clock, faults, runner, running, connect, stored };
}

it.each<[string, FaultRates]>([
  ['stored without an acknowledgement', { acknowledgementLost: 1 }],
  ['lost on the way', { appendLost: 1 }],
])('%s: a centre is told where to go on once it is known, and nothing is stored twice', async (_, rates) => {
  const { clock, faults, runner, running, connect, stored } = await openFeed(rates);
  const first = await connect();
  first.write({ centre: 'c' });
  await until(() => first.responses.length === 1);
  first.write({ first_position: 1, items: units(1, 4) });
  await until(() => runner.waitingEvents === 4);
  await clock.advance(2 * limits.appendDeadlineMs);
  expect(first.error()).toBe(undefined);
  // It has waited long enough, and cuts what it sends in another way than before.
  first.close();
  const second = await connect();
  second.write({ centre: 'c' });
  const going = async () => {
    await until(() => second.responses.length === 1);
    const position = second.responses[0]?.resume?.position ?? 0;
    second.write({ first_position: position + 1, items: units(position + 1, 6) });
    await until(() => second.responses.length === 2);
  };
  const done = going();
  faults.stop();
  await clock.advance(limits.appendDeadlineMs);
  await done;
  expect(second.responses[0]?.resume?.position).toBe(4);
  expect(second.responses[1]?.acknowledgement?.position).toBe(6);
  expect(stored()).toEqual(['XE-1', 'XE-2', 'XE-3', 'XE-4', 'XE-5', 'XE-6']);
  second.close();
  await running.close();
});

it('that are too many while the log is away end the stream: the centre goes on where the log stands, and nothing is passed over', async () => {
  const { clock, faults, runner, running, connect, stored } = await openFeed({ appendLost: 1 });
  const first = await connect();
  first.write({ centre: 'c' });
  await until(() => first.responses.length === 1);
  const write = (from: number, to: number) => first.write({ first_position: from, items: units(from, to) });
  for (let from = 1; from <= 24; from += 4) write(from, from + 3);
  // What is refused is followed by less, at once.
  write(25, 40);
  write(41, 41);
  await until(() => runner.counts.refused > 0);
  const second = await connect();
  second.write({ centre: 'c' });
  await clock.advance(2 * limits.appendDeadlineMs);
  expect(second.responses).toEqual([]);
  faults.stop();
  const resumed = until(() => second.responses.length === 1);
  await clock.advance(limits.appendDeadlineMs);
  await resumed;
  expect(second.responses[0]?.resume?.position).toBe(24);
  second.write({ first_position: 25, items: units(25, 41) });
  await until(() => second.responses.length === 2);
  expect(first.error()).toMatch(/MACH2106 .*heldBackEventsMax/);
  expect(second.responses[1]?.acknowledgement?.position).toBe(41);
  expect(stored()).toEqual(units(1, 41).map(({ unit }) => unit?.unit_id));
  first.close();
  second.close();
  await running.close();
});
