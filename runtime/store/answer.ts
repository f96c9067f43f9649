/**
 * Whether an answer is the store's own, and whether it says what its status says. A page that something before the store puts in its place has status
 * 200, and so has an answer that began before the statement failed: taken for a success, either would lose the rows of an insert.
 */
import type { Readable } from 'node:stream';
import type { ResponseHeaders } from '@clickhouse/client';
import { storeLimits } from './limits.ts';

/** Every ClickHouse sends it with every answer to a statement. */
const ownHeader = 'x-clickhouse-query-id';
const failureHeader = 'x-clickhouse-exception-code';

export function refuseStranger(headers: ResponseHeaders): void {
  if (headers[ownHeader] === undefined)
    throw new Error(`something else answers in the place of ClickHouse: its answer has no ${ownHeader}`);
}

/** How a failure begins where it is told in the answer itself. */
const failureText = /\bCode: \d+\. DB::/;

interface Answer {
  readonly stream: Readable;
  readonly headers: ResponseHeaders;
}

/** Of an insert: reads the answer to its end, which must be empty. */
export async function readDone(answer: Answer): Promise<void> {
  const begin = await readBegin(answer);
  if (begin !== '') throw new Error(begin);
}

/** Of a statement that changes tables: a database of several servers (`ENGINE = Replicated`) tells how each of them did. */
export async function readChanged(answer: Answer): Promise<void> {
  const begin = await readBegin(answer);
  if (failureText.test(begin)) throw new Error(begin);
}

/** The socket goes back to the pool only when the answer has been read to its end. */
async function readBegin({ stream, headers }: Answer): Promise<string> {
  let begin = '';
  for await (const chunk of stream as AsyncIterable<Buffer>)
    if (begin.length < storeLimits.reasonLengthMax) begin += chunk.toString('utf8', 0, storeLimits.reasonLengthMax);
  refuseStranger(headers);
  const code = headers[failureHeader];
  if (code !== undefined)
    throw new Error(begin.trim() || `ClickHouse says code ${String(code)} behind a status of 200`);
  return begin.trim();
}
