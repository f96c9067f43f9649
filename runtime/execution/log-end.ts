/**
 * Where the input log ends, for who looks on: the log may be away just when somebody wants to know how the engine is. It is asked once at a time,
 * and who has waited long enough gets what was known last.
 */
import type { LogStream } from '../bus/log.ts';
import { isUnanswered } from '../bus/unanswered.ts';
import type { Clock } from '../clock.ts';
import { limits } from '../limits.ts';

export interface KnownEnd {
  /** As it was when the log answered last; 0 before it ever did. */
  readonly lastSequence: number;
  /** Time since it was asked what it has not answered yet, ms; 0: it answers. */
  readonly silentMs: number;
}

export class LogEnd {
  private readonly stream: Pick<LogStream, 'state'>;
  private readonly clock: Clock;
  private question: Promise<void> | undefined;
  private lastSequence = 0;
  private unansweredSince: number | undefined;

  constructor(stream: Pick<LogStream, 'state'>, clock: Clock) {
    this.stream = stream;
    this.clock = clock;
  }

  async known(): Promise<KnownEnd> {
    this.question ??= this.ask();
    const patience = new AbortController();
    const { signal } = patience;
    const given = this.clock.sleep(limits.logAnswerPatienceMs, signal).catch(() => {});
    await Promise.race([this.question, given]);
    patience.abort();
    const { lastSequence, unansweredSince } = this;
    return { lastSequence, silentMs: unansweredSince === undefined ? 0 : this.clock.now() - unansweredSince };
  }

  private async ask(): Promise<void> {
    this.unansweredSince ??= this.clock.now();
    try {
      const { lastSequence } = await this.stream.state();
      this.lastSequence = lastSequence;
      this.unansweredSince = undefined;
    } catch (error) {
      // Away for longer than a question waits: the next one asks again. A refusal is an answer.
      if (!isUnanswered(error)) this.unansweredSince = undefined;
    } finally {
      this.question = undefined;
    }
  }
}
