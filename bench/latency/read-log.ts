/** What the log says of a run that is over: which events each input message held, and when every row passed by. */
import type { Log, LogMessage } from '../../runtime/bus/log.ts';
import { decodeInputFrame, decodeOutputFrame } from '../../runtime/execution/log-frame.ts';
import { firstStage } from '../../runtime/execution/streams.ts';
import type { Schema } from '../../runtime/stream/schema.ts';
import type { BoundTopology } from '../../runtime/topology/index.ts';
import { topologyNames } from '../../runtime/topology/names.ts';
import type { CausingMessage } from './causes.ts';

export interface InputMessage extends CausingMessage {
  /** Ms: when the source closed the message, and when the log had it. */
  readonly acceptedAt: number;
  readonly storedAt: number;
}

export interface LoggedRow {
  readonly time: number;
  readonly sequence: number;
  readonly storedAt: number;
}

/** Source messages by their sequence; others (silence, the end) are left out. */
export async function readInput(log: Log, topology: BoundTopology): Promise<ReadonlyMap<number, InputMessage>> {
  const found = new Map<number, InputMessage>();
  const schema = topology.sources[0]?.bound.ports.out as Schema;
  for await (const { sequence, payload, storedAt } of messagesOf(
    log,
    topologyNames(topology.name).inputStream(firstStage),
  )) {
    const frame = decodeInputFrame(payload, schema, new Set());
    if (frame.kind !== 'source') continue;
    const to = Number(frame.segments.at(-1)?.mark);
    if (!Number.isInteger(to))
      throw new Error(`invariant broken: input message ${sequence} does not say how far it goes`);
    const events = frame.segments.reduce((sum, segment) => sum + segment.events, 0);
    found.set(sequence, { from: to - events, to, acceptedAt: frame.acceptedAt, storedAt });
  }
  return found;
}

/** Rows of the only sink, in order. */
export async function readRows(log: Log, topology: BoundTopology): Promise<readonly LoggedRow[]> {
  const rows: LoggedRow[] = [];
  const [sink] = topology.sinks;
  const schema = sink?.inputs[0]?.schema;
  if (!sink || !schema) throw new Error(`the topology ${topology.name} has no sink`);
  for await (const message of messagesOf(log, topologyNames(topology.name).outputStream(firstStage))) {
    if (!message.subject.includes(`.out.${sink.id}.`)) continue;
    for (const { time, sequence } of decodeOutputFrame(message.payload, schema).rows)
      rows.push({ time, sequence, storedAt: message.storedAt });
  }
  return rows;
}

async function* messagesOf(log: Log, name: string): AsyncIterable<LogMessage> {
  const stream = await log.find(name);
  if (!stream) throw new Error(`there is no stream ${name}`);
  const { firstSequence, lastSequence } = await stream.state();
  if (lastSequence < firstSequence) return;
  for await (const message of stream.read({ fromSequence: firstSequence })) {
    yield message;
    if (message.sequence >= lastSequence) return;
  }
}
