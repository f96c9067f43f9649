/** What a browser may ask, and how requests are read and answered. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { MachError, messageOf } from '../errors.ts';
import { boardErrors } from './errors.ts';
import { boardLimits } from './limits.ts';

const instant = z.number().int().min(0).max(8_640_000_000_000_000);

export const questionBody = z.strictObject({
  from: instant,
  to: instant,
  points: z.number().int().min(10).max(10_000).default(500),
  chosen: z
    .record(z.string().max(boardLimits.valueLengthMax), z.array(z.string().max(2_000)).max(boardLimits.valuesMax))
    .default({}),
});

/** Rejects with MACH3304 on what is not JSON of the form. */
export async function readBody<S extends z.ZodType>(request: IncomingMessage, form: S): Promise<z.output<S>> {
  // A form of another site cannot send this type without asking first.
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) throw refused('it is not application/json');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > boardLimits.requestBytesMax) {
      throw refused(`it is longer than ${boardLimits.requestBytesMax} bytes (requestBytesMax)`);
    }
    chunks.push(chunk);
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (error) {
    throw refused(messageOf(error));
  }
  const read = form.safeParse(value);
  if (!read.success) throw refused(z.prettifyError(read.error).replace(/\s+/g, ' '));
  return read.data;
}

export const refused = (reason: string) => boardErrors.make('MACH3304', { reason });

/** Headers that every answer has: nothing of other sites runs in the page, and the page in no other. */
export const safeHeaders = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

export function sendJson(response: ServerResponse, status: number, value: unknown, headers = {}): void {
  response.writeHead(status, { ...safeHeaders, 'content-type': 'application/json; charset=utf-8', ...headers });
  response.end(`${JSON.stringify(value)}\n`);
}

const statuses: Readonly<Record<string, number>> = {
  MACH1631: 404,
  MACH3302: 404,
  MACH3304: 400,
  MACH3305: 503,
  MACH3309: 403,
  MACH3310: 503,
  MACH3312: 503,
  MACH3109: 503,
};

/** The error as the page shows it. */
export function sendError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.destroy();
  if (error instanceof MachError) {
    const { code, message } = error;
    return sendJson(response, statuses[code] ?? 422, { code, message });
  }
  sendJson(response, 500, { code: null, message: messageOf(error) });
}
