/** The engine's stage alone over events that are there already: what the operators cost, without a log or a generator. */
import { openGenerator } from '../../../connectors/nexmark/generator.ts';
import type { NexmarkField } from '../../../connectors/nexmark/schema.ts';
import type { SourceFrame } from '../../../runtime/execution/log-frame.ts';
import { StageMachine } from '../../../runtime/execution/stage-machine.ts';
import type { BoundTopology } from '../../../runtime/topology/index.ts';
import type { PeerAnswer, PeerRequest } from '../request.ts';
import { warmUp } from '../warm-up.ts';

/** As many as the source gives the log at a time. */
const frameEvents = 4_096;

export function measureStage(topology: BoundTopology, request: PeerRequest): PeerAnswer {
  const source = topology.sources[0];
  if (!source || topology.sources.length > 1) throw new Error(`${topology.name} does not have one source`);
  const fields = Object.keys(source.bound.ports.out?.fields ?? {}) as NexmarkField[];
  const frames = framesOf(request, fields);
  let count = 0;
  let last: unknown;
  const pass = () => {
    const machine = new StageMachine(topology, {
      rows(_output, { events }) {
        count += events.length;
        last = events.at(-1) ?? last;
      },
      question: () => undefined,
    });
    for (const [at, frame] of frames.entries()) machine.handle(at + 1, source.id, frame);
    machine.finish();
  };
  warmUp(request.events, pass);
  count = 0;
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  pass();
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  if (count > 0 && last === undefined) throw new Error('invariant broken: a row without a value');
  return { seconds, cpu_seconds: (user + system) / 1e6, rows: count };
}

function framesOf(request: PeerRequest, fields: readonly NexmarkField[]): SourceFrame[] {
  const generator = openGenerator(request, fields);
  return Array.from({ length: Math.ceil(request.events / frameEvents) }, (_, at) => {
    const from = at * frameEvents;
    const length = Math.min(frameEvents, request.events - from);
    const { events, times } = generator.stretch(from, length);
    return {
      kind: 'source',
      acceptedAt: 0,
      segments: [{ origin: 'nexmark', events: length, id: String(from) }],
      deadLetters: [],
      events: events.events,
      times,
    };
  });
}
