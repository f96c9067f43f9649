/**
 * What the state of a key takes: the stage alone, without a log, handles events until the keys are there. Between two forced collections of garbage the heap
 * and everything beside it (`external`, which has the array buffers in it) grow by what was kept; that over the keys that came.
 */
import { type Generator, openGenerator } from '../../connectors/nexmark/generator.ts';
import type { NexmarkField } from '../../connectors/nexmark/schema.ts';
import type { SourceFrame } from '../../runtime/execution/log-frame.ts';
import { StageMachine } from '../../runtime/execution/stage-machine.ts';
import type { BoundTopology } from '../../runtime/topology/index.ts';
import type { StreamOptions } from '../nexmark/run-query.ts';

export interface KeptState {
  readonly keys: number;
  readonly bytesPerKey: number;
}

const frameEvents = 4_096;
/** What has to be compiled is compiled after so many. */
const warmUpFrames = 8;
const statefulNode = 'result';

export function bytesPerKeyOf(topology: BoundTopology, stream: StreamOptions): KeptState {
  const source = topology.sources[0];
  if (!source) throw new Error(`${topology.name} has no source`);
  const fields = Object.keys(source.bound.ports.out?.fields ?? {}) as NexmarkField[];
  const generator = openGenerator(stream, fields);
  const frames = Math.ceil(stream.events / frameEvents);
  const handled = (upTo: number) => {
    const machine = new StageMachine(topology, { rows() {}, question: () => undefined });
    for (let frame = 0; frame < upTo; frame++)
      machine.handle(frame + 1, source.id, frameAt(frame, { events: stream.events, generator }));
    return machine;
  };
  handled(Math.min(warmUpFrames, frames));
  const before = bytesInUse();
  const machine = handled(frames);
  const bytes = bytesInUse() - before;
  // Asked for last: until then the state is in use.
  const keys = machine.runner(statefulNode)?.stateKeys ?? 0;
  if (keys === 0) throw new Error(`the state of ${topology.name} has no keys: take more events`);
  return { keys, bytesPerKey: bytes / keys };
}

function frameAt(frame: number, { events: all, generator }: { events: number; generator: Generator }): SourceFrame {
  const from = frame * frameEvents;
  const { events, times } = generator.stretch(from, Math.min(frameEvents, all - from));
  return {
    kind: 'source',
    acceptedAt: 0,
    segments: [{ origin: 'nexmark', events: times.length }],
    deadLetters: [],
    events: events.events,
    times,
  };
}

function bytesInUse(): number {
  if (!globalThis.gc) throw new Error('invariant broken: the process was not started with --expose-gc');
  // Buffers go with the object that holds them, at the collection after its own.
  for (let time = 0; time < 3; time++) globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
