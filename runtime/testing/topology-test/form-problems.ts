/** What has another form than a file of tests has, in words, each at its key or value. */
import type { z } from 'zod';
import { didYouMean } from '../../did-you-mean.ts';
import type { Path } from '../../topology/places.ts';
import type { ReportTestProblem } from './load.ts';

export type FormIssue = z.core.$ZodIssue;

const keysOf: Readonly<Record<string, readonly string[]>> = {
  'the file': ['topology', 'origins', 'mocks', 'partitions', 'tests'],
  'a test': ['name', 'start', 'mocks', 'partitions', 'steps'],
  'a step': ['send', 'advance', 'crash', 'fault', 'expect'],
  'a mock': ['when', 'answer', 'error', 'after'],
  send: ['source', 'event', 'events', 'text', 'file', 'repeat', 'every', 'origin', 'at'],
  fault: ['crash', 'crash_after', 'drop_acks', 'store'],
  expect: [
    'sink',
    'output',
    'dead_letters',
    'rows',
    'contains',
    'where',
    'latest',
    'snapshot',
    'accounting',
    'watermark',
    'counts',
    'metrics',
  ],
  accounting: ['in', 'delivered', 'filtered', 'late', 'dropped', 'dead_lettered', 'dropped_by_reason', 'redriven'],
  watermark: ['node', 'time'],
  counts: ['node', 'in', 'out', 'filtered', 'late', 'dropped', 'dead'],
};

/** What is needed where several kinds of values may stand. */
const kindsOf: Readonly<Record<string, string>> = {
  rows: 'a number or a list of rows is needed',
  dead_letters: 'a number or a list of rows is needed',
  latest: 'true or a list of fields is needed',
  every: 'a duration is needed, such as 30s',
  advance: 'a duration is needed, such as 30s',
};

function isMock(path: Path): boolean {
  const inside = path[0] === 'tests' ? path.slice(2) : path;
  return inside[0] === 'mocks' && inside.length > 1;
}

/** What the mapping at a path is called. */
function nameOf(path: Path): string {
  if (path.length === 0) return 'the file';
  if (isMock(path)) return 'a mock';
  const last = path.at(-1);
  if (typeof last === 'string') return last;
  return path.length === 2 ? 'a test' : 'a step';
}

/** `base`: where the value of a branch stands, whose issues have paths of their own. */
export function reportFormIssue(issue: FormIssue, report: ReportTestProblem, base: Path = []): void {
  const path: Path = [...base, ...(issue.path as Path)];
  if (issue.code === 'unrecognized_keys') {
    const where = nameOf(path);
    const known = keysOf[where] ?? [];
    for (const key of issue.keys) {
      const near = didYouMean(key, known);
      const suggestion = near ? `did you mean ${near}?` : `keys: ${known.join(', ')}`;
      report({ code: 'MACH1502', path: [...path, key], at: 'key', data: { key, where }, suggestion });
    }
    return;
  }
  const branch = issue.code === 'invalid_union' ? meantBranch(issue.errors) : undefined;
  if (branch) {
    for (const inner of branch) reportFormIssue(inner, report, path);
    return;
  }
  const name = path.length === 0 ? 'the file' : String(path.filter((part) => typeof part === 'string').at(-1));
  const needed = isMock(path) ? 'an answer or a list of answers is needed' : kindsOf[name];
  const what = issue.code === 'invalid_union' ? (needed ?? 'another value is needed') : issue.message;
  report({ code: 'MACH1501', path, data: { problem: `${name}: ${what.slice(0, 1).toLowerCase()}${what.slice(1)}` } });
}

/** Of the kinds of values that may stand at a place, the one that is there, and is wrong inside. */
function meantBranch(branches: readonly (readonly FormIssue[])[]): readonly FormIssue[] | undefined {
  return branches.find((issues) => issues.every(({ path, code }) => path.length > 0 || code === 'unrecognized_keys'));
}
