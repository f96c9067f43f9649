/**
 * What it costs that every row carries its origin (stage, partition, input sequence, index): the way of a row from what a sender said to
 * the store, with the origin as the engine carries it and without, in turns in one run. The way: an item of the 115 feed read, the log message
 * written and decoded, all operators, the message of results written and read again, a block made and inserted into the embedded
 * ClickHouse. What has no part in it (sockets, the log itself) is left out, so that the share is larger here than in the whole.
 *
 * Judged is processor time of both processes, of the third of the turns that other programs disturbed least. Exit code 1 when it is more
 * than 5 %. Beside it: what it costs to keep the texts of senders in the log, from which `mach why` shows them.
 *
 *   npm run bench -- provenance [--turns 21] [--rows 60000] [--json FILE]
 */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { catalogue } from '../catalogue.ts';
import { readItem } from '../connectors/feed-115/items.ts';
import { decodeFrame } from '../connectors/hl7-mllp/decode.ts';
import { codesOf } from '../connectors/hl7-mllp/index.ts';
import {
  decodeInputFrame,
  decodeOutputFrame,
  encodeOutputRuns,
  encodeSourceFrame,
} from '../runtime/execution/log-frame.ts';
import type { OutputRun } from '../runtime/execution/output-run.ts';
import { StageMachine } from '../runtime/execution/stage-machine.ts';
import { ByteWriter as BlockWriter } from '../runtime/store/byte-writer.ts';
import { blockColumns, nativeBlock } from '../runtime/store/native-block.ts';
import { nativeColumn } from '../runtime/store/native-column.ts';
import type { TableSpec } from '../runtime/store/store.ts';
import { ByteReader, ByteWriter, readEvents, readNumbers, writeEvents, writeNumbers } from '../runtime/stream/codec.ts';
import { type Event, type Field, fieldNames, type Schema } from '../runtime/stream/index.ts';
import { withStore } from '../runtime/testing/with-store.ts';
import { type BoundTopology, loadTopology } from '../runtime/topology/index.ts';
import { topologyFile } from './end-to-end/engine.ts';
import { feedItem, hl7Message } from './end-to-end/workload.ts';
import { load, machine } from './machine.ts';

const costPercentMax = 5;
const perFrame = 100;
const rowsPerInsert = 4_000;
const ticksPerSecond = 100;
const source = 'centres';
const sink = 'bench_runs';

interface Turn {
  readonly rowsPerSecond: number;
  /** Processor time of both processes, µs for a row. */
  readonly cpuMicros: number;
}

/** How results are written down, read again and made into a block. */
interface Way {
  readonly table: TableSpec;
  readonly columns: readonly string[];
  encode(schema: Schema, runs: readonly OutputRun[]): Uint8Array;
  block(payload: Uint8Array, schema: Schema): { readonly block: Buffer; readonly rows: number };
}

function carrying(table: TableSpec): Way {
  return {
    table,
    columns: blockColumns(table),
    encode: encodeOutputRuns,
    block(payload, schema) {
      const { rows } = decodeOutputFrame(payload, schema);
      const origins = rows.map(({ sequence, index }) => ({ stage: 's1', partition: 0, sequence, index }));
      return { block: nativeBlock(table, { events: rows.map(({ event }) => event), origins }), rows: rows.length };
    },
  };
}

/** As above, but for the origin: two columns less in the message, four less in the block and in the table. */
function bare(table: TableSpec): Way {
  return {
    table,
    columns: fieldNames(table.schema),
    encode(schema, runs) {
      const events = runs.flatMap((run) => run.events);
      const writer = new ByteWriter();
      writer.uint8(4);
      writer.uint8(1);
      writer.text(JSON.stringify({ count: events.length }));
      writeNumbers(
        writer,
        runs.flatMap(({ times }) => times),
      );
      writeNumbers(
        writer,
        runs.flatMap(({ events: own, acceptedAt }) => own.map(() => acceptedAt)),
      );
      writeEvents(writer, schema, events);
      return writer.take();
    },
    block(payload, schema) {
      const reader = new ByteReader(payload);
      reader.uint8();
      reader.uint8();
      const { count } = JSON.parse(reader.text()) as { count: number };
      const times = readNumbers(reader, count);
      const acceptedAts = readNumbers(reader, count);
      const { events } = readEvents(reader, schema, count);
      const rows = events.map((event, at) => ({ event, time: times[at] ?? 0, acceptedAt: acceptedAts[at] ?? 0 }));
      return {
        block: bareBlock(
          table,
          rows.map(({ event }) => event),
        ),
        rows: rows.length,
      };
    },
  };
}

function bareBlock(table: TableSpec, events: readonly Event[]): Buffer {
  const names = fieldNames(table.schema);
  const writer = new BlockWriter(events.length * (24 + 10 * names.length));
  writer.size(names.length);
  writer.size(events.length);
  for (const name of names) {
    const column = nativeColumn(name, table.schema.fields[name] as Field);
    writer.text(name);
    writer.text(column.type);
    column.write(events, writer, (row, reason) => {
      throw new Error(`row ${row}: ${reason}`);
    });
  }
  return writer.finish();
}

type Item = Parameters<typeof readItem>[0];

const startedAt = Date.now();

function makeItems(rows: number): Item[] {
  return Array.from({ length: rows }, (_, index) => feedItem(index + 1, startedAt));
}

function frameOf(schema: Schema, items: readonly Item[]): Uint8Array {
  const events = items.map((item) => {
    const read = readItem(item, { centre: '115-0', timeMax: startedAt + 600_000 });
    if ('code' in read) throw new Error(read.reason);
    return read;
  });
  return encodeSourceFrame(schema, {
    acceptedAt: startedAt,
    segments: [{ origin: 'bench', events: events.length }],
    deadLetters: [],
    events: events.map(({ event }) => event),
    times: events.map(({ time }) => time),
    raws: events.map(() => null),
  });
}

function storeCpuMicros(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / ticksPerSecond;
}

/** Once over all items. */
async function takeTurn(args: {
  topology: BoundTopology;
  items: readonly Item[];
  way: Way;
  client: ClickHouseClient;
  storePid: number;
  token: string;
}): Promise<Turn> {
  const { topology, items, way, client, storePid, token } = args;
  const schema = topology.sources.find(({ id }) => id === source)?.bound.ports.out as Schema;
  let waiting: OutputRun[] = [];
  let waitingRows = 0;
  const target = new StageMachine(topology, {
    rows: (output, run) => {
      if (output !== sink) return;
      waiting.push(run);
      waitingRows += run.events.length;
    },
    question() {},
  });
  const before = { cpu: process.cpuUsage(), store: storeCpuMicros(storePid), at: performance.now() };
  let rows = 0;
  let inserts = 0;
  const write = async () => {
    if (waiting.length === 0) return;
    const made = way.block(way.encode(way.table.schema, waiting), way.table.schema);
    waiting = [];
    waitingRows = 0;
    rows += made.rows;
    const { stream } = await client.exec({
      query: `INSERT INTO ${way.table.name} (${way.columns.join(', ')}) FORMAT Native`,
      values: Readable.from([made.block], { objectMode: false }),
      clickhouse_settings: {
        async_insert: 0,
        wait_end_of_query: 1,
        insert_deduplication_token: `${token}/${inserts++}`,
      },
    });
    for await (const _chunk of stream);
  };
  for (let at = 0; at < items.length; at += perFrame) {
    const frame = frameOf(schema, items.slice(at, at + perFrame));
    target.handle(at / perFrame + 1, source, decodeInputFrame(frame, schema));
    if (waitingRows >= rowsPerInsert) await write();
  }
  await write();
  const seconds = (performance.now() - before.at) / 1_000;
  const { user, system } = process.cpuUsage(before.cpu);
  const cpuMicros = (user + system + storeCpuMicros(storePid) - before.store) / rows;
  return { rowsPerSecond: Math.round(rows / seconds), cpuMicros };
}

interface Spread {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    median: sorted[sorted.length >> 1] ?? Number.NaN,
    lowest: sorted[0] ?? Number.NaN,
    highest: sorted.at(-1) ?? Number.NaN,
  };
}

/** Mean of the lowest third: others on the machine only add. */
function undisturbed(values: readonly number[]): number {
  const lowest = [...values].sort((a, b) => a - b).slice(0, Math.max(1, Math.round(values.length / 3)));
  return lowest.reduce((sum, value) => sum + value, 0) / lowest.length;
}

const percent = (ratio: number) => (ratio - 1) * 100;

async function measureOrigins(turns: number, rows: number) {
  const { topology } = loadTopology(topologyFile, { catalogue });
  if (!topology) throw new Error(`${topologyFile} is not right; mach check tells why`);
  const items = makeItems(rows);
  const table = topology.sinks.find(({ id }) => id === sink)?.bound.tables?.[0] as TableSpec;
  return withStore(async (store, { embedded }) => {
    const client = createClient({ url: store.url });
    const ways = {
      with: carrying({ ...table, name: 'with_origin' }),
      without: bare({ ...table, name: 'without_origin' }),
    };
    for (const way of Object.values(ways)) await store.ensureTable(way.table);
    for (const name of ['_stage', '_partition', '_sequence', '_index'])
      await store.command(`ALTER TABLE without_origin DROP COLUMN ${name}`);
    const take = async (name: keyof typeof ways, turn: number) => {
      await store.command(`TRUNCATE TABLE ${ways[name].table.name}`);
      const token = `${name}/${turn}`;
      return takeTurn({ topology, items, way: ways[name], client, storePid: embedded.pid, token });
    };
    const pairs: { readonly with: Turn; readonly without: Turn }[] = [];
    for (let turn = -1; turn < turns; turn++) {
      // Who comes first takes turns too.
      const first = turn % 2 === 0 ? 'with' : 'without';
      const one = await take(first, turn);
      const other = await take(first === 'with' ? 'without' : 'with', turn);
      if (turn >= 0) pairs.push(first === 'with' ? { with: one, without: other } : { with: other, without: one });
    }
    await client.close();
    return pairs;
  });
}

/** HL7 messages decoded and written down for the log, with their text beside them and without. */
function measureTexts(turns: number) {
  const { topology } = loadTopology(topologyFile, { catalogue });
  const schema = topology?.sources.find(({ id }) => id === 'hospitals')?.bound.ports.out as Schema;
  const options = { zone: 'Asia/Ho_Chi_Minh', charset: 'UTF-8', codes: codesOf({ observations: {} }) };
  const now = Date.now();
  const texts = Array.from({ length: 2_000 }, (_, index) => Buffer.from(hl7Message(index + 1, now)));
  const pass = (keep: boolean) => {
    const began = process.cpuUsage();
    let bytes = 0;
    for (let at = 0; at < texts.length; at += perFrame) {
      const events = texts.slice(at, at + perFrame).flatMap((text) => {
        const [outcome] = decodeFrame(text, { ...options, receivedAt: now });
        return outcome?.events ?? [];
      });
      bytes += encodeSourceFrame(schema, {
        acceptedAt: now,
        segments: [{ origin: 'bench', events: events.length }],
        deadLetters: [],
        events: events.map(({ event }) => event),
        times: events.map(({ time }) => time),
        raws: events.map(({ raw }) => (keep ? (raw ?? null) : null)),
      }).length;
    }
    const { user, system } = process.cpuUsage(began);
    return { micros: (user + system) / texts.length, bytes: bytes / texts.length };
  };
  pass(true);
  pass(false);
  const pairs = Array.from({ length: turns }, () => ({ kept: pass(true), left: pass(false) }));
  return {
    ratio: spreadOf(pairs.map(({ kept, left }) => kept.micros / left.micros)),
    bytesKept: Math.round(pairs[0]?.kept.bytes ?? 0),
    bytesWithout: Math.round(pairs[0]?.left.bytes ?? 0),
  };
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      turns: { type: 'string', default: '21' },
      rows: { type: 'string', default: '60000' },
      json: { type: 'string' },
    },
  });
  const turns = Number(values.turns);
  const rows = Number(values.rows);
  if (!Number.isInteger(turns) || turns < 1 || !Number.isInteger(rows) || rows < rowsPerInsert)
    throw Object.assign(new Error(`--turns is at least 1, --rows at least ${rowsPerInsert}`), {
      code: 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE',
    });
  const pairs = await measureOrigins(turns, rows);
  const cpu = spreadOf(pairs.map((pair) => pair.with.cpuMicros / pair.without.cpuMicros));
  const wall = spreadOf(pairs.map((pair) => pair.without.rowsPerSecond / pair.with.rowsPerSecond));
  const texts = measureTexts(turns);
  const show = ({ median, lowest, highest }: Spread) =>
    `median ${percent(median).toFixed(1)} % (${percent(lowest).toFixed(1)} to ${percent(highest).toFixed(1)} in ${turns} turns)`;
  const micros = (name: 'with' | 'without') => undisturbed(pairs.map((pair) => pair[name].cpuMicros));
  const costPercent = percent(micros('with') / micros('without'));
  const isMet = costPercent < costPercentMax;
  console.log(`provenance: origin of every row, ${rows} rows a turn, load ${load().toFixed(1)}`);
  console.log(
    `  processor time  ${costPercent.toFixed(1)} %: ${micros('with').toFixed(2)} µs a row with it, ${micros('without').toFixed(2)} without`,
  );
  console.log(`  turn by turn    ${show(cpu)}; time ${show(wall)}`);
  console.log(`  target under ${costPercentMax} % of processor time: ${isMet ? 'met' : 'missed'}`);
  console.log(
    `  beside it: HL7 texts kept in the log  ${show(texts.ratio)} of decoding and writing; ${texts.bytesKept} bytes a message instead of ${texts.bytesWithout}`,
  );
  if (!isMet) process.exitCode = 1;
  const result = {
    machine: machine(),
    load: load(),
    turns,
    rows,
    cpu,
    wall,
    texts,
    targetPercent: costPercentMax,
    isMet,
  };
  if (values.json) await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);
}
