/** What a source connector is given to work with. */
import type { Log } from '../bus/log.ts';
import type { Clock } from '../clock.ts';
import type { ConnectorMetrics } from '../observe/connector-metrics.ts';
import type { Logger, RunningSource } from '../stream/definition.ts';
import type { Event } from '../stream/schema.ts';
import type { BoundSourceNode } from '../topology/bound.ts';
import type { SourceRunner } from './source-runner.ts';
import type { StageRunner } from './stage-runner.ts';

export function openSource(args: {
  source: BoundSourceNode;
  runner: SourceRunner;
  stage: StageRunner;
  log: Log;
  clock: Clock;
  machineClock: Clock;
  logger: Logger;
  metrics: ConnectorMetrics;
  signal: AbortSignal;
}): Promise<RunningSource> {
  const { source, runner, stage, log, metrics } = args;
  return source.bound.open({
    node: source.id,
    clock: args.clock,
    machineClock: args.machineClock,
    logger: args.logger,
    signal: args.signal,
    append: (request) => runner.append(request),
    mark: (origin) => stage.machine.mark(source.id, origin),
    originClosed: (origin) => runner.originClosed(origin),
    count: (metric, by, labels) => metrics.count(source.id, metric, by, labels),
    gauge: (metric, value, labels) => metrics.gauge(source.id, metric, value, labels),
    subscribe: (subject, signal) => liveEvents(log, subject, signal),
  });
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
