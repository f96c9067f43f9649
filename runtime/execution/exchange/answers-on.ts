/** Passes answers of look-ups on to the stage that asked: a look-up of a later stage stands in its first partition. */
import type { Place, StagePart } from '../stage-part.ts';
import type { ExchangeOutput } from './pass-exchanges.ts';
import { answersExchange, type PassedAnswers } from './passed-on.ts';
import { nextHop } from './way.ts';

export class AnswersOn {
  private readonly part: StagePart;
  private readonly to: ExchangeOutput | undefined;
  /** Stage that asked to the next part on the way there; undefined where others see to it. */
  private readonly ways = new Map<number, Place | undefined>();

  constructor(part: StagePart, to: ExchangeOutput | undefined) {
    this.part = part;
    this.to = to;
  }

  pass(sequence: number, stage: number, answers: PassedAnswers): void {
    if (!this.ways.has(stage)) this.ways.set(stage, nextHop(this.part, { stage, partition: 0 }));
    const next = this.ways.get(stage);
    const place = { exchange: answersExchange, sequence, wave: 0, cause: -1, time: 0, acceptedAt: 0 };
    if (next) this.to?.row(next.stage, next.partition, { ...place, event: { ...answers } });
  }
}
