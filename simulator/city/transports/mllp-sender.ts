/**
 * The interface engine of one hospital: a bounded queue, one MLLP connection, one message at a time. The next message is
 * sent once the one before is answered: AA or CA, stored; AR or CR, kept by the receiver as unusable, so that sending it
 * again would not help; AE or CE, not stored, sent again. After a broken connection the same message is sent again on a
 * new one.
 */
import { type Acknowledgement, type Hl7Client, hl7Client } from '../../../connectors/hl7-mllp/client.ts';
import { MachError, messageOf } from '../../../runtime/errors.ts';
import { simulatorErrors } from '../../errors.ts';
import { simulatorLimits as limits } from '../../limits.ts';

export interface MllpSenderOptions {
  readonly hospital: string;
  readonly host: string;
  readonly port: number;
  /** Times that a message is sent (default `simulatorLimits.attemptsMax`). */
  readonly attempts?: number;
}

export interface MllpCounts {
  accepted: number;
  rejected: number;
  /** Times that a message was sent again: after AE, a lost connection, or no answer. */
  resent: number;
}

export class MllpSender {
  readonly counts: MllpCounts = { accepted: 0, rejected: 0, resent: 0 };
  readonly #options: MllpSenderOptions;
  readonly #client: Hl7Client;
  readonly #queue: { readonly id: string; readonly bytes: Uint8Array }[] = [];
  #running = false;
  #failure: Error | null = null;
  #closed = false;
  #wake: (() => void)[] = [];

  constructor(options: MllpSenderOptions) {
    const { host, port, attempts = limits.attemptsMax } = options;
    this.#options = options;
    this.#client = hl7Client({
      host,
      port,
      inFlight: 1,
      answerTimeoutMs: limits.replyTimeoutMs,
      attempts,
      retryDelayMs: limits.retryDelayMs,
    });
  }

  /** Takes a message. Waits while the queue is full. Rejects once sending has failed for good. */
  async send(id: string, bytes: Uint8Array): Promise<void> {
    await this.#until(() => this.#queue.length < limits.queueMessagesMax);
    this.#queue.push({ id, bytes });
    if (!this.#running) this.#run();
  }

  /** Resolves when every message taken so far has been answered. */
  flush(): Promise<void> {
    return this.#until(() => this.#queue.length === 0);
  }

  close(): void {
    this.#closed = true;
    this.#client.close();
    this.#notify();
  }

  async #until(done: () => boolean): Promise<void> {
    for (;;) {
      if (this.#failure) throw this.#failure;
      if (this.#closed || done()) return;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  #run(): void {
    this.#running = true;
    this.#drain()
      .catch((error: unknown) => {
        if (!this.#closed) this.#failure = error instanceof Error ? error : new Error(messageOf(error));
      })
      .finally(() => {
        this.#running = false;
        this.#notify();
      });
  }

  async #drain(): Promise<void> {
    for (let message = this.#queue[0]; message && !this.#closed; message = this.#queue[0]) {
      const answer = await this.#exchange(message.bytes);
      this.counts.resent += answer.attempts - 1;
      if (answer.code.endsWith('E')) throw this.#refused(message.id, answer);
      if (answer.code.endsWith('A')) this.counts.accepted++;
      else this.counts.rejected++;
      this.#queue.shift();
      this.#notify();
    }
  }

  async #exchange(bytes: Uint8Array): Promise<Acknowledgement> {
    try {
      return await this.#client.send(bytes);
    } catch (error) {
      if (this.#closed || !(error instanceof MachError)) throw error;
      const { hospital, host, port, attempts = limits.attemptsMax } = this.#options;
      const seconds = Math.round((attempts * limits.retryDelayMs) / 1_000);
      const data = { hospital, address: `${host}:${port}`, seconds, reason: error.message };
      throw simulatorErrors.make('MACH1703', data, error);
    }
  }

  #refused(id: string, { code, text, attempts }: Acknowledgement): Error {
    const { hospital } = this.#options;
    return simulatorErrors.make('MACH1704', { hospital, id, attempts, answer: code, reason: text });
  }
}
