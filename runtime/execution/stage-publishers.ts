/** Where a stage publishes: the results for each sink, its dead letters, and what it passes to later stages. */
import type { LogStream } from '../bus/log.ts';
import { MachError } from '../errors.ts';
import { limits } from '../limits.ts';
import { stageName } from '../topology/names.ts';
import { deadLetterSchema } from './dead-letter.ts';
import { executionErrors } from './errors.ts';
import { type ExchangePublisher, openExchangePublisher } from './exchange/exchange-publisher.ts';
import { type OutputPublisher, openOutputPublisher } from './output-publisher.ts';
import { deadLetterOutput } from './stage-outputs.ts';
import { accountsStage, laneName, laneSubject, lanesOutOf, writesTo } from './stage-part.ts';
import type { StageArguments } from './stage-runner.ts';

export async function openPublishers(args: StageArguments): Promise<Map<string, OutputPublisher>> {
  const { topology, names, part, streams, machineClock: clock, crashPoints } = args;
  const { partition } = part;
  const stage = stageName(part.stage);
  const common = { beginning: args.beginning.number, clock, crashPoints, onFailure: failureOf(args) };
  const publishers = new Map<string, OutputPublisher>();
  for (const sink of topology.sinks.filter(({ id }) => writesTo(part, id))) {
    const subject = names.outputSubject(stage, sink.id, partition);
    const schema = sink.inputs[0]?.schema ?? { fields: {} };
    publishers.set(sink.id, await openOutputPublisher({ ...common, stream: streams.outputOf(stage), subject, schema }));
  }
  const subject = names.deadLetterSubject(`${stage}-${partition}`);
  publishers.set(
    deadLetterOutput,
    await openOutputPublisher({ ...common, stream: streams.deadLetters, subject, schema: deadLetterSchema }),
  );
  return publishers;
}

export async function openExchangePublishers(args: StageArguments): Promise<Map<string, ExchangePublisher>> {
  const { names, part, streams, machineClock: clock, crashPoints } = args;
  const schemas = new Map(part.plan.exchanges.map(({ id, schema }) => [id, schema]));
  const publishers = new Map<string, ExchangePublisher>();
  for (const to of lanesOutOf(part)) {
    const subject = laneSubject(names, part, to);
    const publisher = await openExchangePublisher({
      stream: streams.exchange as LogStream,
      subject,
      schemaOf: (id) => schemas.get(id) ?? { fields: {} },
      beginning: args.beginning.number,
      ...(to.stage === accountsStage && { everyMs: limits.accountsEveryMs }),
      clock,
      crashPoints,
      onFailure: failureOf(args),
    });
    publishers.set(laneName(to.stage, to.partition), publisher);
  }
  return publishers;
}

/** What a publisher cannot go on with, in the words of the stage. */
function failureOf({ part, onFailure }: StageArguments): (error: unknown) => void {
  const { partition } = part;
  const stage = stageName(part.stage);
  return (error) => {
    const fenced = error instanceof MachError && error.code === 'MACH3001';
    onFailure(fenced ? executionErrors.make('MACH3203', { stage, partition, reason: error.message }, error) : error);
  };
}
