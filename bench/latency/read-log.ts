/**
 * What the log says of a run: which events each input message held, and when every row passed by. It may be read while the run goes on: a log in
 * memory forgets what its readers have passed, so that it does not grow with the run.
 */
import type { Log, LogMessage } from '../../runtime/bus/log.ts';
import { inputFrameOf, outputRunsOf } from '../../runtime/execution/handed-on.ts';
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
export async function readInput(
  log: Log,
  topology: BoundTopology,
  over: Promise<unknown>,
): Promise<ReadonlyMap<number, InputMessage>> {
  const found = new Map<number, InputMessage>();
  const schema = topology.sources[0]?.bound.ports.out as Schema;
  for await (const message of messagesOf(log, streamsRead(topology).input, over)) {
    const { sequence, storedAt } = message;
    const frame = inputFrameOf(message, schema);
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
export async function readRows(
  log: Log,
  topology: BoundTopology,
  over: Promise<unknown>,
): Promise<readonly LoggedRow[]> {
  const rows: LoggedRow[] = [];
  const [sink] = topology.sinks;
  const schema = sink?.inputs[0]?.schema;
  if (!sink || !schema) throw new Error(`the topology ${topology.name} has no sink`);
  for await (const message of messagesOf(log, streamsRead(topology).output, over)) {
    if (!message.subject.includes(`.out.${sink.id}.`)) continue;
    for (const { times, sequence } of outputRunsOf(message, schema))
      for (const time of times) rows.push({ time, sequence, storedAt: message.storedAt });
  }
  return rows;
}

/** Names of the streams that are read here. */
export function streamsRead({ name }: BoundTopology): { readonly input: string; readonly output: string } {
  const names = topologyNames(name);
  return { input: names.inputStream(firstStage), output: names.outputStream(firstStage) };
}

/** All that is in a stream when the run is over. */
async function* messagesOf(log: Log, name: string, over: Promise<unknown>): AsyncIterable<LogMessage> {
  const stream = await log.find(name);
  if (!stream) throw new Error(`there is no stream ${name}`);
  const stop = new AbortController();
  let read = 0;
  let last = Number.POSITIVE_INFINITY;
  void over.then(async () => {
    last = (await stream.state()).lastSequence;
    if (read >= last) stop.abort();
  });
  for await (const message of stream.read({ fromSequence: 1, signal: stop.signal })) {
    yield message;
    read = message.sequence;
    if (read >= last) return;
  }
}
