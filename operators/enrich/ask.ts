/** Asks by HTTP GET: tries again what may yet be answered, rests behind a breaker, and remembers answers for a while. */
import {
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  isBrokenCircuitError,
} from 'cockatiel';
import { type Event, hidden, keepNewest, messageOf } from '../../runtime/stream/index.ts';
import { type Take, takeFrom } from './answer.ts';
import { enrichLimits } from './limits.ts';

export interface AskOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** For one try. */
  readonly timeoutMs: number;
  /** Repetitions after the first try. */
  readonly retries: number;
  /** Failures in a row after which the server is left alone, and for how long. */
  readonly breaker: { readonly failures: number; readonly resetMs: number };
  /** 0: no cache. */
  readonly cacheMs: number;
  readonly takes: readonly Take[];
  /** Of an answer nothing is quoted: it points at a person, or what was asked for does, and servers say again what they were asked. */
  readonly hidesAnswers: boolean;
}

/** null: the server knows nothing of it (404, 410, 204). Rejects when there is no answer. */
export type Ask = (url: string, signal: AbortSignal) => Promise<Event | null>;

/** The server, or the way to it, is at fault; the question may be asked again. */
class Unavailable extends Error {}

const unknownThere = new Set([204, 404, 410]);
/** Statuses of 4xx that speak of the moment and not of the question. */
const passing = new Set([408, 425, 429]);

export function makeAsk(options: AskOptions): Ask {
  const { takes, cacheMs, retries } = options;
  const breaker = circuitBreaker(
    handleWhen((error) => error instanceof Unavailable),
    { halfOpenAfter: options.breaker.resetMs, breaker: new ConsecutiveBreaker(options.breaker.failures) },
  );
  const cache = new Map<string, { answer: Event | null; until: number }>();
  const forgetOldest = keepNewest(cache, enrichLimits.cacheEntriesMax);

  /** Monotonic: the age of an answer does not depend on the clock being set. */
  function remembered(url: string): { answer: Event | null } | undefined {
    const entry = cache.get(url);
    if (!entry || entry.until > performance.now()) return entry;
    cache.delete(url);
    return undefined;
  }

  function remember(url: string, answer: Event | null): void {
    if (cacheMs === 0) return;
    cache.delete(url);
    cache.set(url, { answer, until: performance.now() + cacheMs });
    forgetOldest();
  }

  return async (url, signal) => {
    const known = remembered(url);
    if (known) return known.answer;
    for (let attempt = 0; ; attempt++) {
      try {
        const body = await through(breaker, () => getOnce(url, options, signal));
        const answer = body === null ? null : takeFrom(body.json, takes, options);
        remember(url, answer);
        return answer;
      } catch (error) {
        if (!(error instanceof Unavailable) || attempt >= retries || signal.aborted) throw error;
        await sleep(backoff(attempt), signal);
      }
    }
  };
}

async function through<T>(breaker: CircuitBreakerPolicy, run: () => Promise<T>): Promise<T> {
  try {
    return await breaker.execute(run);
  } catch (error) {
    if (isBrokenCircuitError(error))
      throw new Error('the server has failed too often and is left alone for a while', { cause: error });
    throw error;
  }
}

async function getOnce(url: string, options: AskOptions, signal: AbortSignal): Promise<{ json: unknown } | null> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      headers: { accept: 'application/json', ...options.headers },
      // Headers may hold secrets, which go to no other place than the one that was named.
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)]),
    });
    text = await readText(response);
  } catch (error) {
    // The engine is ending, or the whole time for the question is over.
    if (signal.aborted) throw signal.reason;
    if (error instanceof TooLarge) throw error;
    if ((error as Error).name === 'TimeoutError') throw new Unavailable(`no answer within ${options.timeoutMs} ms`);
    const { cause } = error as Error;
    throw new Unavailable(`the server cannot be reached: ${messageOf(cause ?? error)}`);
  }
  const { status } = response;
  if (unknownThere.has(status)) return null;
  if (status >= 500 || passing.has(status)) throw new Unavailable(`status ${status}`);
  if (status < 200 || status >= 300) throw new Error(`status ${status}`);
  try {
    return { json: JSON.parse(text) as unknown };
  } catch {
    throw new Error(`the answer is not JSON: ${options.hidesAnswers ? hidden : JSON.stringify(text.slice(0, 60))}`);
  }
}

class TooLarge extends Error {}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    // Leaving the loop closes the connection.
    if (bytes > enrichLimits.answerBytesMax)
      throw new TooLarge(`the answer is larger than answerBytesMax (${enrichLimits.answerBytesMax})`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Between half and all of a delay that doubles, so that questions which failed together do not come back together. */
function backoff(attempt: number): number {
  return Math.min(enrichLimits.retryDelayMs * 2 ** attempt, enrichLimits.retryDelayMaxMs) * (0.5 + Math.random() / 2);
}

/** The longest time that a question can take, all tries and delays together. */
export function longestMs({ timeoutMs, retries }: Pick<AskOptions, 'timeoutMs' | 'retries'>): number {
  let delays = 0;
  for (let attempt = 0; attempt < retries; attempt++) {
    delays += Math.min(enrichLimits.retryDelayMs * 2 ** attempt, enrichLimits.retryDelayMaxMs);
  }
  return timeoutMs * (retries + 1) + delays;
}

function sleep(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, delayMs);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
