/** Delivers requests: tries again what may yet be taken, rests behind a breaker, and tells what is refused for good. */
import type { CircuitBreakerPolicy } from 'cockatiel';
import { hidden, MachError, messageOf, type SinkContext } from '../../runtime/stream/index.ts';
import { webhookErrors } from './errors.ts';
import { webhookLimits } from './limits.ts';
import type { Answer, Poster } from './post.ts';
import { signatureHeaders } from './sign.ts';

export interface DeliveryOptions {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly secret?: string | undefined;
  /** What the receiver answers stands in no reason: it may say again what is in the rows, and some field of theirs points at a person. */
  readonly hidesAnswers: boolean;
  /** Tries of one request within one write; after them the whole batch waits for its next turn. */
  readonly attemptsMax: number;
  readonly failuresMax: number;
  readonly restMs: number;
}

export type Outcome =
  | { readonly taken: true }
  | { readonly taken: false; readonly status: number; readonly reason: string };

export interface Delivery {
  /** Rejects (MACH2402 to MACH2404) when it should be tried again later, with the same id. */
  deliver(body: Buffer, id: string): Promise<Outcome>;
}

class Unavailable extends Error {
  readonly retryAfterMs: number | null;

  constructor(message: string, retryAfterMs: number | null) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** Statuses of 4xx that speak of the moment and not of the request. */
const passing = new Set([408, 425, 429]);

function judge({ status, text: said, retryAfterMs }: Answer, { hidesAnswers }: DeliveryOptions): Outcome {
  const text = hidesAnswers && said !== '' ? hidden : said;
  if (status >= 200 && status < 300) return { taken: true };
  if (status >= 400 && status < 500 && !passing.has(status)) {
    return { taken: false, status, reason: webhookErrors.make('MACH2401', { status, answer: text }).message };
  }
  throw new Unavailable(`status ${status} ${text}`.trim(), retryAfterMs);
}

/** Between half and all of a delay that doubles, so that senders which failed together do not come back together. */
function backoff(attempt: number): number {
  const longest = Math.min(webhookLimits.retryDelayMs * 2 ** attempt, webhookLimits.retryDelayMaxMs);
  return longest * (0.5 + Math.random() / 2);
}

export async function makeDelivery(options: DeliveryOptions, poster: Poster, context: SinkContext): Promise<Delivery> {
  const { circuitBreaker, handleAll, ConsecutiveBreaker, isBrokenCircuitError } = await import('cockatiel');
  const breaker: CircuitBreakerPolicy = circuitBreaker(handleAll, {
    halfOpenAfter: options.restMs,
    breaker: new ConsecutiveBreaker(options.failuresMax),
  });
  const shown = `${options.url.origin}${options.url.pathname}`;

  async function tryOnce(body: Buffer, id: string): Promise<Outcome> {
    const signed = options.secret ? signatureHeaders(options.secret, { id, body, now: context.clock.now() }) : {};
    const headers = { 'content-type': 'application/json', ...options.headers, ...signed, 'idempotency-key': id };
    try {
      return await breaker.execute(async () => judge(await poster.post(body, headers, context.signal), options));
    } catch (error) {
      if (!isBrokenCircuitError(error)) throw error;
      throw webhookErrors.make('MACH2404', { url: shown, failures: options.failuresMax }, error);
    }
  }

  return {
    async deliver(body, id) {
      for (let attempt = 1; ; attempt++) {
        try {
          const outcome = await tryOnce(body, id);
          context.count('requests_total', 1, { outcome: outcome.taken ? 'taken' : 'refused' });
          return outcome;
        } catch (error) {
          context.count('requests_total', 1, { outcome: 'failed' });
          if (error instanceof MachError || context.signal.aborted) throw error;
          const reason = messageOf(error);
          if (attempt >= options.attemptsMax) throw webhookErrors.make('MACH2402', { url: shown, reason }, error);
          const asked = error instanceof Unavailable ? error.retryAfterMs : null;
          context.logger.warn({ url: shown, attempt, reason }, 'the receiver did not take the rows; trying again');
          await context.clock.sleep(Math.max(backoff(attempt - 1), asked ?? 0), context.signal);
        }
      }
    },
  };
}
