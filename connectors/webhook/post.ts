/** One POST: its status, the start of its answer, and how long the receiver asks to be left alone. Never follows to another host. */
import { type ClientRequest, type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { webhookErrors } from './errors.ts';
import { webhookLimits } from './limits.ts';

export interface TlsFiles {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly retryAfterMs: number | null;
}

export interface Poster {
  /** Rejects when there was no whole answer in time: whether the receiver took it is unknown. */
  post(body: Buffer, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Answer>;
  close(): void;
}

/** `120`, or a date; ms from now, bounded. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
export function parseRetryAfter(value: string | undefined, now: number): number | null {
  if (value === undefined) return null;
  const waitMs = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now;
  if (Number.isNaN(waitMs)) return null;
  return Math.min(Math.max(0, waitMs), webhookLimits.retryAfterMaxMs);
}

async function readAnswer(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    parts.push(part);
    bytes += part.length;
    // Leaving the loop closes the connection: what else it has to say is of no use.
    if (bytes >= webhookLimits.answerBytesMax) break;
  }
  return Buffer.concat(parts).toString().replace(/\s+/g, ' ').trim().slice(0, webhookLimits.answerShownMax);
}

export function makePoster(args: {
  url: URL;
  timeoutMs: number;
  connectionsMax: number;
  tls: TlsFiles;
  now: () => number;
}): Poster {
  const { url, timeoutMs, connectionsMax, tls } = args;
  const isTls = url.protocol === 'https:';
  const agentOptions = { keepAlive: true, maxSockets: connectionsMax, maxFreeSockets: connectionsMax };
  const agent = isTls ? new TlsAgent({ ...agentOptions, ...tls }) : new PlainAgent(agentOptions);

  function send(target: URL, body: Buffer, headers: Readonly<Record<string, string>>, signal: AbortSignal) {
    return new Promise<IncomingMessage>((resolve, reject) => {
      const start = isTls ? tlsRequest : plainRequest;
      const request: ClientRequest = start(target, {
        method: 'POST',
        agent,
        signal,
        headers: { ...headers, 'content-length': body.length },
      });
      request.on('response', resolve);
      request.on('error', reject);
      request.end(body);
    });
  }

  async function post(body: Buffer, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Answer> {
    let target = url;
    for (let redirects = 0; ; redirects++) {
      const response = await send(target, body, headers, signal);
      const status = response.statusCode ?? 0;
      const { location } = response.headers;
      const text = await readAnswer(response);
      if (status < 300 || status >= 400) {
        return { status, text, retryAfterMs: parseRetryAfter(response.headers['retry-after'], args.now()) };
      }
      const next = location === undefined ? undefined : new URL(location, target);
      const isOurs = next?.origin === url.origin && (status === 307 || status === 308);
      if (!next || !isOurs || redirects >= webhookLimits.redirectsMax) {
        throw webhookErrors.make('MACH2403', {
          location: next ? `${next.origin}${next.pathname}` : `nowhere (${status})`,
        });
      }
      target = next;
    }
  }

  return {
    async post(body, headers, signal) {
      const timeout = new AbortController();
      const timer = setTimeout(() => timeout.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      try {
        return await post(body, headers, AbortSignal.any([signal, timeout.signal]));
      } catch (error) {
        throw timeout.signal.aborted ? timeout.signal.reason : error;
      } finally {
        clearTimeout(timer);
      }
    },
    close: () => agent.destroy(),
  };
}
