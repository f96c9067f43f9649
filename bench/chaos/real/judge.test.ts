/** The judge must see what it is there for: each case breaks one promise on purpose. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { faults } from './faults.ts';
import { judge, problemsOf, type Tables, type Verdict, windowMs } from './judge.ts';
import { createOracle, type Oracle } from './oracle.ts';
import { wipedFault } from './wiped.ts';

const start = Date.parse('2026-03-02T10:00:00+07:00');
const closedUntil = start + 60_000;

/** Two windows of one hospital: 40 events, which raise the alert, then 10, which clear it; one pair. */
function world(): { oracle: Oracle; tables: Tables } {
  const oracle = createOracle('t');
  const visits = Array.from({ length: 50 }, (_, index) => {
    const at = index < 40 ? start + index : start + windowMs + index;
    return oracle.next({ source: 'visits', key: 'BV-1', pair: `case-${index}`, at });
  });
  const call = oracle.next({ source: 'calls', key: 'BV-2', pair: 'case-7', at: start + 500 });
  for (const one of oracle.sent.values()) one.state = 'owed';
  const row = ({ id, key, pair, at }: (typeof visits)[number]) => ({ id, key, pair, at, rows: 1 });
  const window = (key: string, from: number, events: number, first: number, last: number) => ({
    key,
    start: from,
    end: from + windowMs,
    events,
    first,
    last,
  });
  const second = start + windowMs;
  return {
    oracle,
    tables: {
      identities: { visits: visits.map(row), calls: [row(call)], drops: [] },
      late: [],
      windows: [
        window('BV-1', start, 40, start, start + 39),
        window('BV-1', second, 10, second + 40, second + 49),
        window('BV-2', start, 1, start + 500, start + 500),
      ],
      pairs: [{ id: visits[7]?.id ?? '', call: call.id, rows: 1 }],
      pairsLate: [],
      alerts: [
        { key: 'BV-1', state: 'raised', at: second - 1, events: 40 },
        { key: 'BV-1', state: 'cleared', at: second + windowMs - 1, events: 10 },
      ],
    },
  };
}

/** What it says once the tables, or what is owed, have been changed. */
function verdictAfter(change: (parts: ReturnType<typeof world>) => Partial<Tables>): {
  verdict: Verdict;
  problems: string;
} {
  const parts = world();
  const verdict = judge({ ...parts.tables, ...change(parts) }, parts.oracle.sent, closedUntil);
  return { verdict, problems: problemsOf(verdict).join('\n') };
}

const without = (tables: Tables, index: number): Tables['identities'] => ({
  ...tables.identities,
  visits: tables.identities.visits.filter((_, place) => place !== index),
});

describe('the judge', () => {
  it('finds nothing where all is as it must be', () => {
    const { verdict, problems } = verdictAfter(() => ({}));
    expect(problems).toBe('');
    expect(verdict).toMatchObject({ owed: 51, found: 51, windows: { compared: 3 }, pairs: { compared: 1 } });
    expect(verdict.alerts.compared).toBe(2);
  });

  it('misses what is owed and not there, and its window', () => {
    const { verdict, problems } = verdictAfter(({ tables }) => ({ identities: without(tables, 3) }));
    expect(verdict.missing).toEqual(['t-visits-4']);
    expect(problems).toContain('40 events, wanted 39');
  });

  it('owes nothing whose sender was not told, whether it is there or not', () => {
    const { problems, verdict } = verdictAfter(({ oracle }) => {
      for (const id of ['t-visits-4', 't-visits-5']) (oracle.sent.get(id) as { state: string }).state = 'unknown';
      return {};
    });
    expect(problems).toBe('');
    expect(verdict).toMatchObject({ owed: 49, unknown: 2, foundUnknown: 2 });
  });

  it('sees a row that is there twice, in every table', () => {
    const twice = <T extends { rows: number }>(rows: readonly T[]) => rows.map((row) => ({ ...row, rows: 2 }));
    const visits = verdictAfter(({ tables }) => ({
      identities: { ...tables.identities, visits: twice(tables.identities.visits) },
    }));
    expect(visits.verdict.twice).toHaveLength(50);
    expect(verdictAfter(({ tables }) => ({ pairs: twice(tables.pairs) })).verdict.twice).toHaveLength(1);
    const windows = verdictAfter(({ tables }) => ({ windows: [...tables.windows, ...tables.windows] }));
    expect(windows.verdict.windows.different).toHaveLength(3);
    const alerts = verdictAfter(({ tables }) => ({ alerts: [...tables.alerts, ...tables.alerts] }));
    expect(alerts.verdict.alerts.different).toHaveLength(2);
  });

  it('sees a late event that was not put with the late', () => {
    const { problems } = verdictAfter(({ tables }) => ({
      windows: tables.windows.map((window, index) => (index === 1 ? { ...window, events: 9 } : window)),
    }));
    expect(problems).toContain('9 events, wanted 10');
  });

  it('sees an event that is both late and in its window', () => {
    const { problems } = verdictAfter(() => ({ late: [{ id: 't-visits-1', rows: 1 }] }));
    expect(problems).toContain('40 events, wanted 39');
  });

  it('sees rows that nobody sent, or that have changed on the way', () => {
    const { verdict } = verdictAfter(({ tables }) => ({
      identities: {
        ...tables.identities,
        visits: tables.identities.visits.map((row) => (row.id === 't-visits-1' ? { ...row, key: 'BV-3' } : row)),
        drops: [{ id: 'nobody', key: 'BV-1', pair: '', at: start, rows: 1 }],
      },
    }));
    expect(verdict.wrong).toHaveLength(2);
  });

  it('sees pairs and alerts that are missing', () => {
    expect(verdictAfter(() => ({ pairs: [] })).problems).toContain('is missing');
    expect(verdictAfter(() => ({ alerts: [] })).problems).toContain('BV-1');
  });

  it('sees a right message that was refused', () => {
    const { problems } = verdictAfter(({ oracle }) => {
      (oracle.sent.get('t-visits-1') as { state: string }).state = 'refused';
      return {};
    });
    expect(problems).toContain('1 right messages were refused');
  });
});

it('the page beside it names every fault', () => {
  const page = readFileSync(new URL('./README.md', import.meta.url), 'utf8');
  const named = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name).sort();
  expect(named).toEqual([...faults, wipedFault].map(({ name }) => name).sort());
});
