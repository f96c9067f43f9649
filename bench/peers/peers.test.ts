import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openGenerator } from '../../connectors/nexmark/generator.ts';
import { hashRows } from '../compare/rows-file.ts';
import { isPattern, patternLines } from '../nexmark/oracle/patterns.ts';
import { queries } from '../nexmark/queries.ts';
import { hashOf } from '../nexmark/rows.ts';
import { loopQueries } from './loop/queries.ts';
import { rxjsQueries } from './rxjs/queries.ts';
import { runQuery } from './stream.ts';

/** The reference's numbers of rows of 200,000 events, seed 42, 10,000 a second. */
const expectedRows: Readonly<Record<string, number>> = {
  ...{ q0: 184_000, q1: 184_000, q2: 1_505, q3: 1_234, q4: 5, q5: 14, q7: 2, q8: 1_794, q9: 11_146, q11: 3_927 },
  ...{ q13: 184_000, q14: 45_782, q15: 1, q16: 10_004, q17: 11_993, q18: 57_807, q19: 88_142, q20: 29_819 },
  ...{ q21: 174_580, q22: 184_000, q23: 295_721, q10: 1, p0: 36_734, p1: 27_799, p2: 39_319, p3: 33_428 },
};
const stream = { events: 200_000, seed: 42, rate: 10_000, disorder: 1 };

function bidsByBidder(settings: typeof stream): readonly string[] {
  const counts = new Map<number, number>();
  const generator = openGenerator(settings, ['kind', 'bidder']);
  for (let position = 0; position < settings.events; position++) {
    const { kind, bidder } = generator.eventAt(position);
    if (kind === 'bid') counts.set(Number(bidder), (counts.get(Number(bidder)) ?? 0) + 1);
  }
  return [...counts].map((row) => JSON.stringify(row)).sort();
}

describe('the loop and RxJS', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mach-peers-'));
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
  });

  it.each(Object.keys(expectedRows))('give the rows of the reference in %s', async (query) => {
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
    await runQuery(loopQueries, { ...slow, query: 'q10' });
    expect((await hashRows(slow.rows)).count).toBe(1_667);
  });

  it.each([
    ['10,000 events a second', { ...stream, events: 50_000 }],
    ['disorder 100', { ...stream, events: 50_000, seed: 7, disorder: 100 }],
    ['2 events a second', { ...stream, seed: 11, rate: 2 }],
  ])('find the patterns of the oracle with %s', async (_, settings) => {
    for (const query of queries.filter(isPattern)) {
      const expected = patternLines(settings, query);
      for (const of of [loopQueries, rxjsQueries]) {
        const request = { query: query.name, ...settings, rows: join(folder, query.name) };
        await runQuery(of, request);
        expect(await hashRows(request.rows), query.name).toEqual({ count: expected.length, sha256: hashOf(expected) });
      }
    }
  });

  it.each([
    ['in order', stream],
    ['with disorder 100', { ...stream, seed: 7, disorder: 100 }],
  ])('count the bids of each bidder once by arrival, %s', async (_, settings) => {
    const expected = bidsByBidder(settings);
    const request = { query: 'q12', ...settings, rows: join(folder, 'q12') };
    for (const of of [loopQueries, rxjsQueries]) {
      await runQuery(of, request);
      expect(await hashRows(request.rows)).toEqual({ count: expected.length, sha256: hashOf(expected) });
    }
  });

  it('say how many rows the files of a timed run hold, and leave none behind', async () => {
    vi.stubEnv('TMPDIR', folder);
    for (const of of [loopQueries, rxjsQueries])
      expect(await runQuery(of, { query: 'q10', ...stream, rate: 200 })).toMatchObject({ rows: 17 });
    expect(await readdir(folder)).toEqual([]);
  });

  it('leave no query without a check', () => {
    expect(Object.keys(loopQueries).sort()).toEqual([...Object.keys(expectedRows), 'q12'].sort());
  });
});
