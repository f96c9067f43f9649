/** A log whose disk is full: it holds back, loses nothing, and goes on by itself. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { virtualClock } from '../clock.ts';
import { limits } from '../limits.ts';
import { type AppendRequest, identityHeader, openAppendWindow } from './append-window.ts';
import { announceRoom, connectLog, type Log, type LogMessage, type NatsServer, startNatsServer } from './index.ts';

describe('a window that is held', () => {
  const clock = virtualClock(0);
  const sent: { readonly token: number; readonly request: AppendRequest }[] = [];
  let last: LogMessage | undefined;
  const open = () => {
    sent.length = 0;
    last = undefined;
    return openAppendWindow({
      transport: { send: (token, request) => void sent.push({ token, request }), last: async () => last },
      clock,
      identityPrefix: 'p',
    });
  };
  const request = (id: string, more: Partial<AppendRequest> = {}) => ({
    stream: 'S',
    subject: 's.a',
    payload: Buffer.from(id),
    expectedLastSubjectSequence: undefined,
    headers: undefined,
    id,
    ...more,
  });
  const message = (id: string, sequence: number): LogMessage => ({
    sequence,
    subject: 's.a',
    payload: Buffer.from(id),
    headers: { [identityHeader]: id },
    storedAt: 0,
  });

  it('lets wait without a deadline whoever may wait, and refuses at once whoever a sender waits for', async () => {
    const window = open();
    window.hold('full');
    const waiting = window.append(request('a'));
    await expect(window.append(request('b', { whenHeld: 'refuse' }))).rejects.toMatchObject({
      code: 'MACH3004',
      message: expect.stringContaining('full'),
    });
    await clock.advance(20 * limits.appendDeadlineMs);
    expect(sent).toEqual([]);
    window.hold(null);
    expect(sent.map(({ request: { id } }) => id)).toEqual(['a']);
    window.settle(sent[0]?.token ?? 0, { kind: 'stored', sequence: 7, duplicate: false });
    expect(await waiting).toEqual({ sequence: 7, duplicate: false });
  });

  it('sends again, with its identity, what was under way, and leaves it the rest of its time', async () => {
    const window = open();
    const waiting = window.append(request('a'));
    const refused = window.append(request('b', { subject: 's.b', whenHeld: 'refuse' }));
    refused.catch(() => undefined);
    window.hold('full');
    await clock.advance(2 * limits.appendDeadlineMs);
    await expect(refused).rejects.toMatchObject({ code: 'MACH3002', message: expect.stringContaining('full') });
    window.hold(null);
    expect(sent.map(({ request: { id } }) => id)).toEqual(['a', 'b', 'a']);
    waiting.catch(() => undefined);
    await clock.advance(limits.appendDeadlineMs + 1);
    await expect(waiting).rejects.toMatchObject({ code: 'MACH3002' });
  });

  it('asks the log what it has, where its memory of identities may be over', async () => {
    const window = open();
    const stored = window.append(request('a'));
    window.hold('full');
    await clock.advance(2 * limits.duplicateWindowMs);
    last = message('a', 3);
    window.hold(null);
    expect(await stored).toEqual({ sequence: 3, duplicate: true });
    expect(sent).toHaveLength(1);

    const lost = window.append(request('b'));
    window.hold('full');
    await clock.advance(2 * limits.duplicateWindowMs);
    window.hold(null);
    await clock.advance(limits.appendRetryDelayMs);
    expect(sent.map(({ request: { id } }) => id)).toEqual(['a', 'b', 'b']);
    window.settle(sent.at(-1)?.token ?? 0, { kind: 'stored', sequence: 4, duplicate: false });
    expect(await lost).toEqual({ sequence: 4, duplicate: false });
  });
});

describe('a server', () => {
  let directory: string;
  const opened: (() => Promise<void>)[] = [];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'mach-log-full-'));
  });
  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) await close();
    await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
  });

  const connect = async (server: NatsServer): Promise<Log> => {
    const log = await connectLog({ url: server.url });
    opened.push(() => log.close());
    return log;
  };

  it('tells its clients when it is out of room and when it has room again', async () => {
    const events: string[] = [];
    const room = { reserveBytes: 0 };
    const server = await startNatsServer({
      directory,
      // Read at each look: the disk of a test is not for filling.
      get reserveBytes() {
        return room.reserveBytes;
      },
      onEvent: ({ kind }) => events.push(kind),
    });
    opened.push(() => server.stop());
    const log = await connect(server);
    const other = await connect(server);
    const stop = announceRoom(log, server);
    opened.push(async () => stop());
    const stream = await other.stream({ name: 'S', subjects: ['s.*'], durability: 'disk' });
    await stream.append('s.a', Buffer.from('1'), { whenHeld: 'refuse' });
    room.reserveBytes = Number.MAX_SAFE_INTEGER;
    await expect.poll(() => other.problem, { timeout: 10_000 }).toContain('is full');
    await expect(stream.append('s.a', Buffer.from('2'), { whenHeld: 'refuse' })).rejects.toMatchObject({
      code: 'MACH3004',
    });
    const waiting = stream.append('s.a', Buffer.from('3'));
    expect((await stream.state()).lastSequence).toBe(1);
    room.reserveBytes = 0;
    expect(await waiting).toEqual({ sequence: 2, duplicate: false });
    expect(other.problem).toBeNull();
    expect(events).toEqual(['disk-full', 'disk-room']);
  });

  it('is started anew after a write that failed, and stores what was under way once', async () => {
    const events: string[] = [];
    const server = await startNatsServer({ directory, reserveBytes: 0, onEvent: ({ kind }) => events.push(kind) });
    opened.push(() => server.stop());
    const log = await connect(server);
    const stream = await log.stream({ name: 'S', subjects: ['s.*'], durability: 'disk' });
    const payload = Buffer.alloc(1_000);
    for (let sequence = 1; sequence <= 20; sequence++) await stream.append('s.a', payload);
    // Its files cannot grow: its writes fail as on a full disk.
    execFileSync('prlimit', ['--pid', String(server.processId), '--fsize=10000:']);
    expect(await stream.append('s.a', payload)).toEqual({ sequence: 21, duplicate: false });
    // The server takes clients a moment before it is told as restarted.
    await expect.poll(() => events, { timeout: 10_000 }).toContain('restarted');
    expect(events).toEqual(['disk-full', 'ended', 'restarted', 'disk-room'].slice(0, events.length));
    expect(await stream.state()).toMatchObject({ firstSequence: 1, lastSequence: 21, messages: 21 });
  });

  it('does not start on a disk that is full', async () => {
    await expect(startNatsServer({ directory, reserveBytes: Number.MAX_SAFE_INTEGER })).rejects.toMatchObject({
      code: 'MACH3017',
    });
  });
});
