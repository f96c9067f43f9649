/** Passes answers of look-ups on to the stage that asked. Which of its partitions did so, an answer does not say: each takes what it has asked. */
import { partitionsOfStage } from '../../topology/spread.ts';
import type { Place, StagePart } from '../stage-part.ts';
import type { ExchangeOutput } from './pass-exchanges.ts';
import { answersExchange, type PassedAnswers } from './passed-on.ts';
import { nextHop } from './way.ts';

export class AnswersOn {
  private readonly part: StagePart;
  private readonly to: ExchangeOutput | undefined;
  /** Node that asked to the next parts on the way there; none where others see to it. */
  private readonly ways = new Map<string, readonly Place[]>();

  constructor(part: StagePart, to: ExchangeOutput | undefined) {
    this.part = part;
    this.to = to;
  }

  pass(sequence: number, stage: number, answers: PassedAnswers): void {
    const { node } = answers;
    let ways = this.ways.get(node);
    if (!ways) {
      ways = this.waysTo(node, stage);
      this.ways.set(node, ways);
    }
    const place = { exchange: answersExchange, sequence, wave: 0, cause: -1, time: 0, acceptedAt: 0 };
    for (const next of ways) this.to?.row(next.stage, next.partition, { ...place, event: { ...answers } });
  }

  private waysTo(node: string, stage: number): Place[] {
    const { plan } = this.part;
    const partitions = plan.nodes.get(node)?.out.kind === 'one' ? 1 : partitionsOfStage(plan, stage);
    const ways = new Map<string, Place>();
    for (let partition = 0; partition < partitions; partition++) {
      const next = nextHop(this.part, { stage, partition });
      if (next) ways.set(`${next.stage}/${next.partition}`, next);
    }
    return [...ways.values()];
  }
}
