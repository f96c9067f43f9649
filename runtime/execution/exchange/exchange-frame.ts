/**
 * What stages pass to each other through the log: rows and watermarks, each with the sequence of the source message that caused it and
 * the wave of that message in which it came, so that the reader can put the lanes of all partitions back into the order that one
 * partition would have had.
 */
import { ByteReader, ByteWriter, readEvents, readNumbers, writeEvents, writeNumbers } from '../../stream/codec.ts';
import type { Event, Schema } from '../../stream/schema.ts';
import { executionErrors } from '../errors.ts';
import type { RedriveLink } from '../log-frame.ts';
import { accountsExchange, accountsSchema } from './accounts.ts';
import { isPassed, passedSchema } from './passed-on.ts';

const formatVersion = 1;
const exchangeKind = 5;
/** Of what is said of a watermark beside its time. */
const idleBit = 1;
const anewBit = 2;

export interface ExchangeRow {
  /** Id of the exchange (see `topology/spread.ts`). */
  readonly exchange: string;
  /** Of the source message in the input log. */
  readonly sequence: number;
  readonly wave: number;
  /** Which event of the source message it goes back to; -1: time alone. */
  readonly cause: number;
  /** Place among the rows of this sequence on this lane, from 0. */
  readonly index: number;
  readonly time: number;
  readonly acceptedAt: number;
  readonly event: Event;
  /** It comes of a dead letter that went in again; so does all that is in its wave. */
  readonly redrive?: PassedLink | undefined;
}

/** A dead letter that went in again, the node that it went in at, and its time. */
export interface PassedLink extends RedriveLink {
  readonly node: string;
  readonly time: number;
  /** It waited for the answer of a look-up; how the letter ended was said before. */
  readonly answered?: true;
}

export interface ExchangeWatermark {
  readonly exchange: string;
  readonly sequence: number;
  readonly wave: number;
  readonly time: number;
  readonly idle: boolean;
  /** See `stream/frame.ts`. */
  readonly anew?: boolean;
}

export interface RowPlace {
  readonly sequence: number;
  readonly index: number;
}

export interface ExchangeFrame {
  /** Of the input log, see `log-beginning.ts`; absent: 0. */
  readonly beginning?: number;
  /** Everything of this lane up to this source sequence is in this message and those before it. */
  readonly through: number;
  readonly rows: readonly ExchangeRow[];
  readonly watermarks: readonly ExchangeWatermark[];
}

export type SchemaOf = (exchange: string) => Schema;

interface Head {
  readonly beginning?: number;
  readonly through: number;
  readonly last: RowPlace | null;
  readonly groups: readonly (readonly [string, number])[];
  readonly watermarks: readonly string[];
  /** Sequence, letter and wave of what comes of dead letters that went in again. Without a wave, as it was written once: all of the sequence. */
  readonly redrives?: readonly (readonly [number, PassedLink, number?])[];
}

export function encodeExchangeFrame(
  { beginning = 0, through, rows, watermarks }: ExchangeFrame,
  schemaOf: SchemaOf,
): Uint8Array {
  const groups = new Map<string, ExchangeRow[]>();
  for (const row of rows) {
    const group = groups.get(row.exchange);
    if (group) group.push(row);
    else groups.set(row.exchange, [row]);
  }
  const last = rows.at(-1);
  const redrives = new Map<string, readonly [number, PassedLink, number]>();
  for (const { sequence, wave, redrive } of rows)
    if (redrive) redrives.set(`${sequence}/${wave}`, [sequence, redrive, wave]);
  const head: Head = {
    ...(beginning > 0 && { beginning }),
    through,
    last: last ? { sequence: last.sequence, index: last.index } : null,
    groups: [...groups].map(([exchange, { length }]) => [exchange, length]),
    watermarks: watermarks.map(({ exchange }) => exchange),
    ...(redrives.size > 0 && { redrives: [...redrives.values()] }),
  };
  const writer = new ByteWriter();
  writer.uint8(exchangeKind);
  writer.uint8(formatVersion);
  writer.text(JSON.stringify(head));
  for (const [exchange, group] of groups) {
    for (const name of ['sequence', 'wave', 'cause', 'index', 'time', 'acceptedAt'] as const)
      writeNumbers(
        writer,
        group.map((row) => row[name]),
      );
    writeEvents(
      writer,
      schemaIn(exchange, schemaOf),
      group.map(({ event }) => event),
    );
  }
  for (const name of ['sequence', 'wave', 'time'] as const)
    writeNumbers(
      writer,
      watermarks.map((mark) => mark[name]),
    );
  writeNumbers(
    writer,
    watermarks.map(({ idle, anew }) => (idle ? idleBit : 0) + (anew ? anewBit : 0)),
  );
  return writer.take();
}

export function decodeExchangeFrame(payload: Uint8Array, schemaOf: SchemaOf): ExchangeFrame {
  const { head, reader } = open(payload);
  const redrives = new Map(
    (head.redrives ?? []).map(([sequence, link, wave]) => [
      wave === undefined ? `${sequence}` : `${sequence}/${wave}`,
      link,
    ]),
  );
  const rows: ExchangeRow[] = [];
  for (const [exchange, count] of head.groups) {
    const [sequences, waves, causes, indexes, times, acceptedAts] = Array.from({ length: 6 }, () =>
      readNumbers(reader, count),
    ) as [number[], number[], number[], number[], number[], number[]];
    readEvents(reader, schemaIn(exchange, schemaOf), count).events.forEach((event, at) => {
      const sequence = sequences[at] as number;
      rows.push({
        exchange,
        sequence,
        wave: waves[at] as number,
        cause: causes[at] as number,
        index: indexes[at] as number,
        time: times[at] as number,
        acceptedAt: acceptedAts[at] as number,
        event,
        redrive:
          redrives.size > 0 ? (redrives.get(`${sequence}/${waves[at]}`) ?? redrives.get(`${sequence}`)) : undefined,
      });
    });
  }
  rows.sort((a, b) => a.sequence - b.sequence || a.index - b.index);
  const count = head.watermarks.length;
  const [sequences, waves, times, idles] = Array.from({ length: 4 }, () => readNumbers(reader, count)) as [
    number[],
    number[],
    number[],
    number[],
  ];
  const watermarks = head.watermarks.map((exchange, at) => ({
    exchange,
    sequence: sequences[at] as number,
    wave: waves[at] as number,
    time: times[at] as number,
    idle: ((idles[at] as number) & idleBit) !== 0,
    ...(((idles[at] as number) & anewBit) !== 0 && { anew: true }),
  }));
  return { beginning: head.beginning ?? 0, through: head.through, rows, watermarks };
}

export function schemaIn(exchange: string, schemaOf: SchemaOf): Schema {
  if (exchange === accountsExchange) return accountsSchema;
  return isPassed(exchange) ? passedSchema : schemaOf(exchange);
}

/** How far a lane has come, from its newest message, without decoding its columns. */
export function progressOf(payload: Uint8Array): {
  readonly beginning: number;
  readonly through: number;
  readonly last: RowPlace | null;
} {
  const { beginning = 0, through, last } = open(payload).head;
  return { beginning, through, last };
}

function open(payload: Uint8Array): { head: Head; reader: ByteReader } {
  const reader = new ByteReader(payload);
  const kind = reader.uint8();
  const version = reader.uint8();
  if (kind !== exchangeKind || version !== formatVersion) {
    throw executionErrors.make('MACH3201', { reason: `message kind ${kind}, format ${version}, is not an exchange` });
  }
  return { head: JSON.parse(reader.text()) as Head, reader };
}
