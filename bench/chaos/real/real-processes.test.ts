/**
 * Every fault once, on real processes, in one run; then each promise has a test of its own over what the run has reported. The
 * seed is of the day, and printed when something fails: `npm run chaos -- --seed N --for 1s` makes the same schedule again.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { noDisk } from './disk.ts';
import { faults } from './faults.ts';
import { mounting } from './namespace.ts';
import type { RealReport } from './report.ts';
import { runRealCampaigns } from './run.ts';
import { wipedFault } from './wiped.ts';

const dayMs = 86_400_000;
const seed = Number(process.env.MACH_CHAOS_SEED ?? Math.floor(Date.now() / dayMs));
const deadlineMs = 900_000;

describe(`real processes, seed ${seed}`, () => {
  let report: RealReport;
  const lines: string[] = [];

  beforeAll(async () => {
    report = await runRealCampaigns({ seed, faults: [], forMs: 1_000, print: (line) => void lines.push(line) });
    if (!report.passed) console.error(lines.join('\n'));
  }, deadlineMs);

  /** Of one fault, in words; empty when it was injected and did what it should. */
  const outcome = (name: string) => {
    const skipped = report.skipped.find(({ fault }) => fault === name);
    // A disk can be filled only where a small one can be mounted.
    if (skipped) return skipped.why === noDisk && mounting() === 'nowhere' ? '' : skipped.why;
    const injected = report.injected.filter(({ fault }) => fault === name);
    if (injected.length === 0) return 'it was not injected';
    return injected.map((one) => (one.failed ? one.detail : '')).join('');
  };

  for (const { name, summary } of faults) it(`${name}: ${summary}`, () => expect(outcome(name)).toBe(''));

  it(`${wipedFault.name}: ${wipedFault.summary}`, () => {
    expect(report.problems.filter((problem) => problem.includes(wipedFault.name))).toEqual([]);
    expect(lines.filter((line) => /nats-wiped: .* ended with exit code 3 and MACH3\d{3}$/.test(line))).toHaveLength(2);
  });

  it('loses nothing that was acknowledged, over HL7, 115 and files', () => {
    expect(report.owed).toBeGreaterThan(100);
    expect(report).toMatchObject({ missing: 0, found: report.owed });
  });

  it('writes nothing twice', () => expect(report.twice).toBe(0));

  it('computes windows, pairs and alerts as a batch over the same events does', () => {
    expect(report.windowsCompared).toBeGreaterThan(10);
    expect(report.windowsDifferent).toBe(0);
  });

  it('really went through restarts, redeliveries and deduplicated inserts', () => {
    expect(report.restarts).toBeGreaterThan(0);
    expect(report.redeliveries).toBeGreaterThan(0);
    expect(report.deduplicatedInserts).toBeGreaterThan(0);
  });

  it('balances its accounts, catches up, and keeps its memory: no problem is left', () => {
    expect(report.problems).toEqual([]);
  });
});
