import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hashRows } from '../compare/rows-file.ts';
import { loopQueries } from './loop/queries.ts';
import { rxjsQueries } from './rxjs/queries.ts';
import { runQuery } from './stream.ts';

/** The reference's numbers of rows of 200,000 events, seed 42, 10,000 a second. */
const expectedRows: Readonly<Record<string, number>> = {
  ...{ q0: 184_000, q1: 184_000, q2: 1_505, q3: 1_234, q4: 5, q5: 14, q7: 2, q8: 1_794, q9: 11_146, q11: 3_927 },
  ...{ q13: 184_000, q14: 45_782, q15: 1, q16: 10_004, q17: 11_993, q18: 57_807, q19: 88_142, q20: 29_819 },
  ...{ q21: 174_580, q22: 184_000, q23: 295_721 },
};
const stream = { events: 200_000, seed: 42, rate: 10_000, disorder: 1 };

describe('the loop and RxJS', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mach-peers-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 }));

  it.each(Object.keys(loopQueries))('give the rows of the reference in %s', async (query) => {
    await runQuery(loopQueries, { query, ...stream, rows: join(folder, 'loop') });
    await runQuery(rxjsQueries, { query, ...stream, rows: join(folder, 'rxjs') });
    const [loop, rxjs] = [await hashRows(join(folder, 'loop')), await hashRows(join(folder, 'rxjs'))];
    expect(loop.count).toBe(expectedRows[query]);
    expect(rxjs).toEqual(loop);
  });

  it('count sessions and hot auctions of a slow clock as the reference does', async () => {
    const slow = { ...stream, rate: 2, rows: join(folder, 'rows') };
    await runQuery(loopQueries, { ...slow, query: 'q11' });
    expect((await hashRows(slow.rows)).count).toBe(45_717);
    await runQuery(loopQueries, { ...slow, query: 'q5' });
    expect((await hashRows(slow.rows)).count).toBe(50_107);
  });
});
