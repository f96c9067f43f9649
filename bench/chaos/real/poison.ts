/** Messages that nothing can be made of, or only with care. None of them may stop what is beside it. */
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectFeed } from '../../../connectors/feed-115/client.ts';
import type { SenderTargets } from './senders.ts';

const frame = (text: string | Buffer) => Buffer.concat([Buffer.of(0x0b), Buffer.from(text), Buffer.of(0x1c, 0x0d)]);
const megabyte = 1024 * 1024;
const head = (id: string) => `MSH|^~\\&|HIS|BV-X|MACH|115|20260302100000||ADT^A04|${id}|P|2.5.1`;

/** By name, so that a report can say which were sent. */
export const hl7Poison: Readonly<Record<string, Buffer>> = {
  'no MSH': frame('PID|1||BN-1\rPV1|1|E'),
  'bytes that are no text': frame(Buffer.from([0x4d, 0x53, 0x48, 0xff, 0xfe, 0x00, 0xc3, 0x28])),
  'two megabytes': frame(`${head('P-LARGE')}\rNTE|1||${'x'.repeat(2 * megabyte)}\r`),
  'deep nesting': frame(`${head('P-DEEP')}\rPID|1||${'a^b&c~'.repeat(5_000)}\r`),
  'no time': frame(`${head('P-TIME').replace('20260302100000', 'NaN')}\rEVN|A04|NaN\rPV1|1|E\r`),
  'noise between frames': Buffer.from('GET / HTTP/1.1\r\n\r\n'),
  'a frame that never ends': Buffer.from(`\x0b${head('P-OPEN')}\rPID|1`),
};

async function sendBytes(port: number, bytes: Buffer): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
    socket.write(bytes, () => setTimeout(() => socket.end(), 150));
    setTimeout(() => socket.destroy(), 1_500);
  });
}

async function sendFeedPoison(port: number): Promise<number> {
  const now = Date.now();
  const items = [
    { call: { call_id: 'P-NAN', received_ms: now, latitude: Number.NaN, longitude: Number.NaN } },
    { call: { call_id: 'P-INFINITE', received_ms: now, latitude: Number.POSITIVE_INFINITY, longitude: 106 } },
    { call: { call_id: '', received_ms: now } },
    { call: { call_id: 'P-OLD', received_ms: 12 } },
    { call: { call_id: 'P-LARGE', received_ms: now, address: 'x'.repeat(2 * megabyte) } },
    { unit: {} },
    {},
  ];
  const client = await connectFeed({ address: `127.0.0.1:${port}`, centre: '115-P' });
  for (const item of items) client.send(item).catch(() => undefined);
  await Promise.race([client.flush().catch(() => undefined), sleep(2_000)]);
  await client.close();
  return items.length;
}

async function dropPoison(inbox: string, number: number): Promise<number> {
  const files: Record<string, string | Buffer> = {
    [`poison-nan-${number}.csv`]: `id,hospital,pair,at,beds\nP-${number},BV-X,,2026-03-02T10:00:00Z,NaN\n`,
    [`poison-columns-${number}.csv`]: `a;b;c\n${number};2;3\n`,
    [`poison-bytes-${number}.csv`]: Buffer.from([0xff, 0xfe, 0x00, number & 0xff, 0x22, 0x0a, 0x80]),
    [`poison-quote-${number}.csv`]: `id,hospital,pair,at,beds\n"P${number},BV-X,,,\n`,
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(inbox, name), content);
  return Object.keys(files).length;
}

let number = 0;

/** Resolves with how many were sent. */
export async function sendPoison(targets: SenderTargets): Promise<number> {
  const hl7 = Object.values(hl7Poison);
  const [items, files] = await Promise.all([
    sendFeedPoison(targets.feedPort),
    dropPoison(targets.inbox, ++number),
    ...hl7.map((bytes) => sendBytes(targets.hl7Port, bytes)),
  ]);
  return hl7.length + Number(items) + Number(files);
}
