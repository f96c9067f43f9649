/**
 * Sees rows as any reader of the store does: asks both tables, at a fixed pace, for what is newer than the newest row seen.
 * Knows nothing of driver and engine but the address of the store.
 */
import { Agent, request } from 'node:http';
import type { FromPoller, ToPoller } from './messages.ts';
import { monotonicMs } from './workload.ts';

interface Place {
  sequence: bigint;
  index: number;
}

/** Tables of `topology.yaml`, and the number of the event in each. */
const tables = [
  { name: 'bench_runs', number: 'substring(call_id, 2)', intended: 'intended_at' },
  { name: 'bench_visits', number: 'substring(message_id, 2)', intended: 'sent_at' },
] as const;
/** Bytes of a row as the query gives it: table, sequence, index, number, intended. */
const rowBytes = 1 + 8 + 4 + 4 + 8;

const places: Place[] = tables.map(() => ({ sequence: 0n, index: 0 }));
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
let everyMs = 25;
let closing = false;

const tell = (message: FromPoller) => process.send?.(message);

function question(): string {
  const parts = tables.map(({ name, number, intended }, index) => {
    const { sequence, index: at } = places[index] as Place;
    return (
      `SELECT toUInt8(${index}), _sequence, _index, toUInt32(assumeNotNull(${number})), toUnixTimestamp64Milli(assumeNotNull(${intended})) ` +
      `FROM ${name} WHERE _sequence > ${sequence} OR (_sequence = ${sequence} AND _index > ${at})`
    );
  });
  return `${parts.join(' UNION ALL ')} FORMAT RowBinary`;
}

function ask(url: string, sql: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: 'POST', agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const body = Buffer.concat(chunks);
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`the store answered ${response.statusCode}: ${body.toString().slice(0, 300)}`));
      });
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(sql);
  });
}

function take(body: Buffer, at: number, queryMs: number): void {
  const rows = body.length / rowBytes;
  const numbers = new Uint32Array(rows);
  const intended = new Float64Array(rows);
  for (let row = 0, offset = 0; row < rows; row++, offset += rowBytes) {
    const place = places[body.readUInt8(offset)] as Place;
    const sequence = body.readBigUInt64LE(offset + 1);
    const index = body.readUInt32LE(offset + 9);
    numbers[row] = body.readUInt32LE(offset + 13);
    intended[row] = Number(body.readBigInt64LE(offset + 17));
    if (sequence > place.sequence || (sequence === place.sequence && index > place.index)) {
      place.sequence = sequence;
      place.index = index;
    }
  }
  tell({ kind: 'seen', at, queryMs, numbers, intended });
}

async function poll(url: string): Promise<void> {
  while (!closing) {
    const began = monotonicMs();
    const body = await ask(url, question());
    const at = monotonicMs();
    take(body, at, at - began);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, began + everyMs - monotonicMs())));
  }
  agent.destroy();
  process.disconnect();
}

process.on('message', (command: ToPoller) => {
  if (command.kind === 'close') closing = true;
  else everyMs = command.everyMs;
  if (command.kind !== 'start') return;
  poll(command.url).catch((error) => tell({ kind: 'failed', reason: (error as Error).message }));
});
