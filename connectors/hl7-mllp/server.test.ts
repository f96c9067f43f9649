import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type AppendRequest, MachError } from '../../runtime/stream/index.ts';
import { type Hl7Client, hl7Client } from './client.ts';
import { encodeFrame, frameDecoder } from './framing.ts';
import { hl7Limits } from './limits.ts';
import { startServer, type TestServer, type TestServerOptions, testMessage } from './server.fixture.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options?: TestServerOptions): Promise<TestServer> {
  const server = await startServer(options);
  cleanups.push(() => server.source.close());
  return server;
}

function clientOf({ port }: TestServer, options = {}): Hl7Client {
  const client = hl7Client({ port, ...options });
  cleanups.push(() => client.close());
  return client;
}

interface Wire {
  readonly socket: Socket;
  readonly answers: string[];
  /** Resolves when so many answers have come. */
  answered(count: number): Promise<string[]>;
  readonly closed: Promise<void>;
}

async function wireTo({ port }: TestServer): Promise<Wire> {
  const socket = connect({ port, host: '127.0.0.1' });
  cleanups.push(() => socket.destroy());
  const frames = frameDecoder({ messageBytesMax: 1_000_000 });
  const answers: string[] = [];
  let onAnswer = () => {};
  socket.on('data', (chunk: Buffer) => {
    answers.push(...frames.push(chunk).map(({ bytes }) => bytes.toString('latin1')));
    onAnswer();
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  const answered = (count: number) =>
    new Promise<string[]>((resolve, reject) => {
      onAnswer = () => {
        if (answers.length >= count) resolve(answers);
      };
      void closed.then(() => reject(new Error(`closed after ${answers.length} answers`)));
      onAnswer();
    });
  return { socket, answers, answered, closed };
}

const codes = (answers: readonly string[]) => answers.map((answer) => /MSA.(\w\w)/.exec(answer)?.[1]);
const ids = (answers: readonly string[]) => answers.map((answer) => /MSA.\w\w.([^|\r]*)/.exec(answer)?.[1]);

async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets everything that could happen on loopback happen. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('acknowledgements', () => {
  it('come only after the append has resolved', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const server = await start({ append: () => held });
    const wire = await wireTo(server);
    wire.socket.write(encodeFrame(testMessage('X1')));
    await eventually(() => server.appended.length === 1);
    await settle();
    expect(wire.answers).toEqual([]);
    release();
    const [answer = ''] = await wire.answered(1);
    expect(answer).toMatch(/^MSH\|\^~\\&\|MACH\|115\|HIS\|BV01\|\d{17}|/);
    expect(answer).toContain('|ACK^A04^ACK|');
    expect(answer).toContain('\rMSA|AA|X1\r');
  });

  it('are AE when the append fails, and the client sends again until it is stored', async () => {
    let failures = 2;
    const server = await start({
      append: async () => {
        if (failures-- > 0) throw new Error('no disk');
      },
    });
    const wire = await wireTo(server);
    wire.socket.write(encodeFrame(testMessage('X1')));
    const [answer = ''] = await wire.answered(1);
    expect(answer).toContain('MSA|AE|X1|message could not be stored: no disk');
    expect(answer).toContain('\rERR|||207^Application internal error^HL70357|E|MACH2016|');
    const client = clientOf(server, { retryDelayMs: 1 });
    expect(await client.send(testMessage('X1'))).toMatchObject({ code: 'AA', id: 'X1', attempts: 2 });
    // One identity, so that the log counts them once.
    expect(new Set(server.appended.map(({ id }) => id)).size).toBe(1);
  });

  it('are AR for a message that no message of the log can hold, which would be sent again for ever', async () => {
    const server = await start({
      append: async ({ events }) => {
        if (events.length > 0) throw new MachError('MACH3202', 'one event is too large');
      },
    });
    const wire = await wireTo(server);
    wire.socket.write(encodeFrame(testMessage('X1')));
    const [answer = ''] = await wire.answered(1);
    expect(answer).toContain('MSA|AR|X1|message could not be stored: one event is too large');
    const [refused, dead] = server.appended;
    expect(dead).toMatchObject({ id: refused?.id, events: [], deadLetters: [{ code: 'MACH2016' }] });
  });

  it('are AR, with the reason, for what became a dead letter', async () => {
    const server = await start();
    const wire = await wireTo(server);
    wire.socket.write(encodeFrame(testMessage('X1').replace('2.5.1', '3.0')));
    wire.socket.write(encodeFrame('hello'));
    const [first = '', second = ''] = await wire.answered(2);
    expect(first).toContain('MSA|AR|X1|HL7 version "3.0" is not version 2');
    expect(first).toContain('203^Unsupported version id^HL70357|E|MACH2013');
    expect(second).toMatch(/MSA\|AR\|\|not an HL7 v2 message/);
    expect(server.appended.map(({ deadLetters }) => deadLetters?.[0]?.code)).toEqual(['MACH2013', 'MACH2010']);
    expect(server.appended[0]?.deadLetters?.[0]?.place).toMatchObject({ connection: '127.0.0.1', message_id: 'X1' });
  });

  it('keep the separators and the bytes of the sender', async () => {
    const server = await start();
    const wire = await wireTo(server);
    const odd = testMessage('X&1', { hospital: 'Bệnh viện Thử' }).replaceAll('|', '#').replaceAll('^', '$');
    wire.socket.write(encodeFrame(odd));
    wire.socket.write(encodeFrame(odd.replace('2.5.1', '3')));
    const [answer = '', refused = ''] = await wire.answered(2);
    expect(Buffer.from(answer, 'latin1').toString()).toMatch(/^MSH#\$~\\&#MACH#115#HIS#Bệnh viện Thử#/);
    expect(answer).toContain('\rMSA#AA#X&1\r');
    expect(refused).toContain('203$Unsupported version id$HL70357#E#MACH2013');
    expect(server.appended[0]?.origin).toBe('Bệnh viện Thử');
  });

  it.each([
    ['|||AL|NE', 'CA', 'CR'],
    ['|||NE|AL', 'AA', 'AR'],
    ['|||AL|AL', 'CA', 'CR'],
    ['|||ER|NE', undefined, 'CR'],
    ['|||SU|NE', 'CA', undefined],
    ['|||NE|NE', undefined, undefined],
  ])('follow MSH-15 and MSH-16 %s', async (more, accepted, rejected) => {
    const server = await start();
    const wire = await wireTo(server);
    wire.socket.write(encodeFrame(testMessage('good', { more })));
    wire.socket.write(encodeFrame(testMessage('bad', { more }).replace('2.5.1', '3.0')));
    wire.socket.end(encodeFrame(testMessage('last')));
    await wire.closed;
    const expected = [accepted, rejected, 'AA'].filter((code) => code !== undefined);
    expect(codes(wire.answers)).toEqual(expected);
    expect(server.appended).toHaveLength(3);
  });

  it('come in the order of the messages, whatever the order of the appends', async () => {
    const held: (() => void)[] = [];
    const server = await start({ append: () => new Promise((resolve) => held.push(resolve)) });
    const wire = await wireTo(server);
    const sent = Array.from({ length: 50 }, (_, index) => `M${index}`);
    wire.socket.write(Buffer.concat(sent.map((id) => encodeFrame(testMessage(id)))));
    await eventually(() => held.length === 50);
    for (const release of held.slice(1).reverse()) release();
    await settle();
    expect(wire.answers).toEqual([]);
    held[0]?.();
    expect(ids(await wire.answered(50))).toEqual(sent);
  });

  it('are one for each message of a batch', async () => {
    const server = await start();
    const wire = await wireTo(server);
    wire.socket.write(encodeFrame(`BHS|^~\\&\r${testMessage('A')}${testMessage('B')}BTS|2\r`));
    expect(ids(await wire.answered(2))).toEqual(['A', 'B']);
  });
});

describe('connections', () => {
  it('are handled by the hundred', async () => {
    const server = await start();
    const clients = Array.from({ length: 300 }, () => clientOf(server));
    const answers = await Promise.all(
      clients.flatMap((client, at) =>
        [1, 2, 3].map((n) => client.send(testMessage(`${at}-${n}`, { hospital: `BV${at}` }))),
      ),
    );
    expect(answers.every(({ code }) => code === 'AA')).toBe(true);
    expect(server.appended).toHaveLength(900);
    expect(new Set(server.appended.map(({ origin }) => origin)).size).toBe(300);
    expect(server.counts.get('connections')).toBe(300);
  });

  it('beyond the bound are refused, and counted', async () => {
    const server = await start({ options: { connections: 2 } });
    await clientOf(server).send(testMessage('A'));
    await clientOf(server).send(testMessage('B'));
    const third = await wireTo(server);
    await third.closed;
    expect(server.counts.get('connections_refused_total')).toBe(1);
  });

  it('get their messages through byte by byte', async () => {
    const server = await start();
    const wire = await wireTo(server);
    for (const byte of encodeFrame(testMessage('X1'))) {
      wire.socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(codes(await wire.answered(1))).toEqual(['AA']);
    expect(server.appended[0]?.events[0]?.event).toMatchObject({ patient_name: 'Nguyễn Văn Thử' });
  });

  it('that flood are held back at the bound, and lose nothing', async () => {
    const held: (() => void)[] = [];
    let isOpen = false;
    const server = await start({
      append: () => (isOpen ? Promise.resolve() : new Promise((resolve) => held.push(resolve))),
    });
    const wire = await wireTo(server);
    const count = 10_000;
    // More than the buffers of the system hold.
    const note = `NTE|1||${'x'.repeat(3_000)}\r`;
    for (let index = 0; index < count; index += 1) wire.socket.write(encodeFrame(testMessage(`M${index}`) + note));
    await eventually(() => server.appended.length >= hl7Limits.inFlightMessagesMax);
    await settle();
    expect(server.appended.length).toBe(hl7Limits.inFlightMessagesMax);
    // The rest waits at the sender, not in the memory of the engine.
    expect(wire.socket.writableLength).toBeGreaterThan(0);
    isOpen = true;
    for (const release of held) release();
    const answers = await wire.answered(count);
    expect(new Set(ids(answers)).size).toBe(count);
    expect(server.appended).toHaveLength(count);
  });

  it('closed inside a message leave a dead letter and no event', async () => {
    const server = await start();
    const wire = await wireTo(server);
    wire.socket.end(`\v${testMessage('X1')}`);
    await wire.closed;
    expect(wire.answers).toEqual([]);
    expect(server.appended.map(({ deadLetters, events }) => [deadLetters?.[0]?.code, events.length])).toEqual([
      ['MACH2005', 0],
    ]);
  });

  it('that leave out the end of frame have their messages read when the next begins', async () => {
    const server = await start();
    const wire = await wireTo(server);
    wire.socket.write(`\v${testMessage('A')}\v${testMessage('B').trimEnd()}`);
    wire.socket.write(encodeFrame(testMessage('C')));
    expect(codes(await wire.answered(3))).toEqual(['AA', 'AR', 'AA']);
  });

  it('keep going after a message that is too large', async () => {
    const server = await start({ options: { message: '4KiB' } });
    const wire = await wireTo(server);
    wire.socket.write(encodeFrame(testMessage('big') + 'x'.repeat(50_000)));
    wire.socket.write(encodeFrame(testMessage('small')));
    const answers = await wire.answered(2);
    expect([codes(answers), ids(answers)]).toEqual([
      ['AR', 'AA'],
      ['big', 'small'],
    ]);
    expect(answers[0]).toContain('`message` option');
    expect(server.appended[0]?.deadLetters?.[0]).toMatchObject({ code: 'MACH2003' });
  });

  it('that do not speak MLLP are closed', async () => {
    const server = await start();
    const wire = await wireTo(server);
    wire.socket.write('GET / HTTP/1.1\r\n'.repeat(10_000));
    await wire.closed;
    expect(server.appended[0]?.deadLetters?.[0]).toMatchObject({ code: 'MACH2002' });
  });

  it('that trickle a message are cut off in time', async () => {
    const server = await start();
    const wire = await wireTo(server);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    cleanups.push(() => vi.useRealTimers());
    wire.socket.write('\vMSH|^~\\&|HIS|BV01');
    await settle();
    vi.advanceTimersByTime(hl7Limits.messageTimeoutMs - 1);
    wire.socket.write('|');
    await settle();
    expect(server.appended).toEqual([]);
    vi.advanceTimersByTime(1);
    vi.useRealTimers();
    await wire.closed;
    expect(server.appended[0]?.deadLetters?.[0]).toMatchObject({ code: 'MACH2004' });
    expect(wire.answers).toEqual([]);
  });

  it('silent for longer than idle_connection are closed', async () => {
    const server = await start({ options: { idle_connection: '50ms' } });
    const wire = await wireTo(server);
    await wire.closed;
    expect(server.appended).toEqual([]);
  });

  it('survive frames without content', async () => {
    const server = await start();
    const wire = await wireTo(server);
    wire.socket.write(Buffer.concat([encodeFrame(''), encodeFrame(' \r'), encodeFrame(testMessage('A'))]));
    expect(codes(await wire.answered(1))).toEqual(['AA']);
    expect(server.counts.get('empty_frames_total')).toBe(2);
  });
});

describe('drain', () => {
  it('answers what is owed, takes in nothing more, and closes', async () => {
    const held: (() => void)[] = [];
    const append = (_: AppendRequest) => new Promise<void>((resolve) => held.push(resolve));
    const server = await start({ append });
    const wire = await wireTo(server);
    wire.socket.write(encodeFrame(testMessage('A')));
    await eventually(() => held.length === 1);
    server.abort.abort();
    wire.socket.write(encodeFrame(testMessage('B')));
    await settle();
    held[0]?.();
    await wire.closed;
    expect(ids(wire.answers)).toEqual(['A']);
    expect(server.appended).toHaveLength(1);
    expect(server.source.problem?.()).toBe('draining');
    await server.source.close();
    const late = connect({ port: server.port, host: '127.0.0.1' });
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => late.once('error', resolve));
    expect(error.code).toBe('ECONNREFUSED');
  });
});

describe('listen', () => {
  it('on an address that is taken is a coded error', async () => {
    const server = await start();
    await expect(startServer({ options: { listen: server.port } })).rejects.toMatchObject({ code: 'MACH2001' });
  });
});

describe('client', () => {
  it('connects again and sends again what had no answer', async () => {
    const held: (() => void)[] = [];
    const server = await start({
      append: () => (held.length < 3 ? new Promise<void>((resolve) => held.push(resolve)) : Promise.resolve()),
    });
    const client = clientOf(server, { answerTimeoutMs: 50, retryDelayMs: 1 });
    const answers = await Promise.all(['A', 'B', 'C', 'D'].map((id) => client.send(testMessage(id))));
    expect(answers.map(({ code, id }) => [code, id])).toEqual(['A', 'B', 'C', 'D'].map((id) => ['AA', id]));
    expect(answers[0]?.attempts).toBe(2);
    for (const release of held) release();
    await client.finish();
    expect(client.pending).toBe(0);
  });

  it('gives up in the end', async () => {
    const server = await start();
    await server.source.close();
    const client = clientOf(server, { attempts: 3, retryDelayMs: 1 });
    await expect(client.send(testMessage('A'))).rejects.toMatchObject({ code: 'MACH2031' });
  });
});
