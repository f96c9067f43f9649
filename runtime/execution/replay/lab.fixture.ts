/** An engine that lives, dies and lives again over half an hour of event time, and what its sinks got. For tests of replays. */
import type { Random } from '../../random.ts';
import type { SinkRow } from '../../stream/sink-definition.ts';
import { type Lab, type LabProcess, openLab } from '../../testing/engine-lab.ts';
import { type Edges, smallCatalogue } from '../../testing/small-catalogue.ts';
import { type BoundTopology, loadTopology } from '../../topology/index.ts';
import type { OutputRow } from '../log-frame.ts';

export const replayedTopology = `
version: 1
name: lab
sources:
  beds: { pulses: {}, idle: 30d, disorder: 1s }
  calls: { pulses: {}, idle: 30d, disorder: 1s }
operators:
  kept: { keep: { from: calls, min: 2 } }
  able: { refuses: { from: beds } }
  both: { merged: { left: able, right: kept } }
  order: { numbered: { from: both } }
  windows: { totals: { from: beds, every: 10s } }
sinks:
  rows: { collect: { from: order } }
  sums: { collect: { from: windows, key: [hospital, begin] } }
`;

export interface Lived {
  readonly lab: Lab;
  readonly last: LabProcess;
  readonly lives: number;
}

/** `rounds` times both sources send, and time goes on; the process is killed at random, and takes checkpoints between. */
export async function liveAndDie(args: {
  random: Random;
  topology?: string;
  rounds?: number;
  answer?: NonNullable<Parameters<typeof openLab>[0]['edges']>['answer'];
}): Promise<Lived> {
  const { random, rounds = 60, topology = replayedTopology } = args;
  const lab = openLab({ topology, ...(args.answer && { edges: { answer: args.answer } }) });
  const begin = lab.clock.now();
  const start = () => lab.start({ checkpointEveryMs: 60_000 });
  let process = await start();
  let lives = 1;
  for (let round = 0; round < rounds; round++) {
    const time = begin + round * 7_000;
    const sends = lab.topology.sources.map(({ id: source }) => {
      const origin = random.pick(['H1', 'H2']);
      const events = Array.from({ length: random.int(1, 4) }, (_, index) => ({
        event: { id: `${source}-${round}-${index}`, hospital: origin, value: random.int(0, 9), patient: null },
        time: time + random.int(0, 5_000),
      }));
      return process.source(source).append({ origin, id: `${source}-${round}`, events });
    });
    await lab.drive(Promise.all(sends));
    await lab.clock.advance(random.int(5_000, 9_000));
    if (!random.chance(0.1)) continue;
    process.kill();
    process = await start();
    lives++;
  }
  await lab.settle(process);
  return { lab, last: process, lives };
}

/** What of a row must be the same. */
export const shownRow = ({ event, time, sequence, index }: OutputRow | SinkRow) => ({ event, time, sequence, index });

/** A version of the topology, as the lab would load it. */
export function labTopology(text: string, edges?: Edges): BoundTopology {
  const readFile = () => new TextEncoder().encode(text);
  const { topology, diagnostics } = loadTopology('lab.yaml', { catalogue: smallCatalogue(edges), env: {}, readFile });
  if (topology) return topology;
  throw new Error(diagnostics.map(({ line, message }) => `${line}: ${message}`).join('\n'));
}
