/** Opens the sources of a topology, and gives each connector what it works with. A source can go on while the stage behind it changes. */
import type { Log, LogStream } from '../bus/log.ts';
import type { Clock } from '../clock.ts';
import type { CrashPoints } from '../faults.ts';
import type { ConnectorMetrics } from '../observe/connector-metrics.ts';
import type { Logger } from '../stream/definition.ts';
import type { Event, Schema } from '../stream/schema.ts';
import type { RunningSource } from '../stream/source-definition.ts';
import type { BoundSourceNode } from '../topology/bound.ts';
import { type SourceRunner, startSourceRunner } from './source-runner.ts';
import type { StageRunner } from './stage-runner.ts';

/** What a source needs to know of the stage that reads it. */
export type SourceStage = Pick<StageRunner, 'machine'>;

export interface OpenSource {
  readonly id: string;
  readonly node: BoundSourceNode;
  readonly runner: SourceRunner;
  readonly running: RunningSource;
  /** From now on this stage says how far the senders have come; one that was opened without a stage begins to take in. */
  attach(stage: SourceStage): void;
  /** Resolves when the source has said that nothing more will come of it, and that is in the log. */
  readonly ended: Promise<void>;
  /** It is told to take nothing more in. */
  stop(reason: Error): void;
  /** Resolves when what it owes is answered and everything is freed. */
  close(): Promise<void>;
}

export interface SourceArguments {
  readonly source: BoundSourceNode;
  /** Without it the source listens, and holds its senders back until it is attached to one. */
  readonly stage?: SourceStage;
  /** Until then: who knows how far its senders had come. */
  readonly marksOf?: SourceStage;
  readonly stream: LogStream;
  /** Where it appends. */
  readonly subject: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly machineClock: Clock;
  readonly logger: Logger;
  readonly metrics: ConnectorMetrics;
  readonly crashPoints: CrashPoints;
  readonly windowMs?: number;
}

export async function openSource(args: SourceArguments): Promise<OpenSource> {
  const { source, log, metrics } = args;
  const { id } = source;
  const ending = new AbortController();
  let stage: SourceStage | undefined = args.marksOf;
  let runner: SourceRunner | undefined;
  let begin: (runner: SourceRunner) => void = () => {};
  let giveUp: (reason: Error) => void = () => {};
  const begun = new Promise<SourceRunner>((resolve, reject) => {
    begin = resolve;
    giveUp = reject;
  });
  begun.catch(() => undefined);
  let sayEnded: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    sayEnded = resolve;
  });
  const attach = (next: SourceStage) => {
    stage = next;
    if (runner) return;
    runner = startRunner(args, next, ending.signal);
    begin(runner);
  };
  if (args.stage) attach(args.stage);
  const close = async () => {
    giveUp(new Error(`source ${id} is closing`));
    await runner?.close();
  };
  const opening = source.bound.open({
    node: id,
    clock: args.clock,
    machineClock: args.machineClock,
    logger: args.logger,
    signal: ending.signal,
    append: (request) => (runner ? runner.append(request) : begun.then((later) => later.append(request))),
    mark: (origin) => (stage && knows(stage, id) ? stage.machine.mark(id, origin) : undefined),
    originClosed: (origin) => runner?.originClosed(origin),
    async ended() {
      await (runner ?? (await begun)).ended();
      sayEnded();
    },
    count: (metric, by, labels) => metrics.count(id, metric, by, labels),
    gauge: (metric, value, labels) => metrics.gauge(id, metric, value, labels),
    subscribe: (subject, signal) => liveEvents(log, subject, signal),
  });
  const running = await opening.catch(async (error) => {
    await close();
    throw error;
  });
  return {
    id,
    node: source,
    get runner() {
      if (!runner) throw new Error(`invariant broken: source ${id} has no stage yet`);
      return runner;
    },
    running,
    ended,
    attach,
    stop(reason) {
      ending.abort(reason);
      if (!runner) giveUp(reason);
    },
    async close() {
      await running.close();
      await close();
    },
  };
}

function startRunner(args: SourceArguments, stage: SourceStage, signal: AbortSignal): SourceRunner {
  const { source, windowMs } = args;
  return startSourceRunner({
    node: source.id,
    schema: source.bound.ports.out as Schema,
    idleMs: source.idleMs,
    stream: args.stream,
    subject: args.subject,
    clock: args.clock,
    crashPoints: args.crashPoints,
    signal,
    origins: knows(stage, source.id) ? stage.machine.origins(source.id) : [],
    ...(windowMs === undefined ? {} : { windowMs }),
  });
}

function knows({ machine }: SourceStage, source: string): boolean {
  return machine.topology.sources.some(({ id }) => id === source);
}

async function* liveEvents(log: Log, subject: string, signal: AbortSignal): AsyncIterable<Event> {
  for await (const { payload } of log.subscribe(subject, signal)) {
    try {
      yield JSON.parse(Buffer.from(payload).toString()) as Event;
    } catch {
      // Plain subjects are open to anyone; what is not JSON is not ours.
    }
  }
}
