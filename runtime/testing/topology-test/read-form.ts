/** The form of a file of tests, read so far as it is right: a mistake in one place hides none in another. */
import type { RawValue } from '../../topology/ir/options-node.ts';
import type { Path } from '../../topology/places.ts';
import { type FormIssue, reportFormIssue } from './form-problems.ts';
import { type RawTestFile, testFileForm } from './format.ts';
import type { ReportTestProblem } from './load.ts';

export interface ReadForm {
  /** Without what has another form; absent where nothing can be said of the rest. Where something was reported it may be checked, never run. */
  readonly raw?: RawTestFile;
  /** Whether something was left out of the step (or the test, or the other part of the file) that a path lies in. */
  isFaulty(path: Path): boolean;
}

type Container = Record<string | number, unknown>;

/** Reports everything that has another form. */
export function readForm(value: RawValue, report: ReportTestProblem): ReadForm {
  const parsed = testFileForm.safeParse(value);
  if (parsed.success) return { raw: parsed.data, isFaulty: () => false };
  const { issues } = parsed.error;
  for (const issue of issues) reportFormIssue(issue, report);
  const parts = issues.map(({ path }) => partOf(path as Path));
  const isFaulty = (path: Path) => parts.some((part) => part.every((name, at) => path[at] === name));
  const rest: unknown = structuredClone(value);
  // What is left out may be needed by what it stands in: then that is left out as well, a step, and at last a test.
  for (const leaveOut of [leaveOutValue, leaveOutPart, leaveOutTest]) {
    const again = testFileForm.safeParse(rest);
    if (again.success) return { raw: again.data, isFaulty };
    for (const issue of again.error.issues) leaveOut(rest, issue);
  }
  const last = testFileForm.safeParse(rest);
  return last.success ? { raw: last.data, isFaulty } : { isFaulty };
}

/** The step that a path lies in; outside of steps the path itself. */
function partOf(path: Path): Path {
  return path[0] === 'tests' && path[2] === 'steps' ? path.slice(0, 4) : path;
}

function leaveOutValue(file: unknown, issue: FormIssue): void {
  if (issue.code !== 'unrecognized_keys') return leaveOut(file, issue.path as Path);
  for (const key of issue.keys) leaveOut(file, [...(issue.path as Path), key]);
}

/** A test without a name goes on without one; a step, and what stands beside the steps, is left out. */
function leaveOutPart(file: unknown, { path }: FormIssue): void {
  const isName = path[0] === 'tests' && path.length === 3 && path[2] === 'name';
  if (isName) at(file, path.slice(0, -1) as Path).name = 'without a name';
  else leaveOut(file, partOf(path as Path));
}

function leaveOutTest(file: unknown, { path }: FormIssue): void {
  leaveOut(file, path.slice(0, path[0] === 'tests' ? 2 : 1) as Path);
}

/** Tests and steps keep their numbers, by which places are found: in the place of one that is left out stands nothing. Of another list all is left out. */
function leaveOut(file: unknown, path: Path): void {
  const isNumbered = path[0] === 'tests' && (path.length === 2 || (path.length === 4 && path[2] === 'steps'));
  if (isNumbered) at(file, path.slice(0, -1))[path.at(-1) as number] = undefined;
  else if (typeof path.at(-1) === 'string') delete at(file, path.slice(0, -1))[path.at(-1) as string];
  else if (path.length > 0) leaveOut(file, path.slice(0, -1));
}

/** What stands at a path; something that nobody looks at where it has been left out already. */
function at(file: unknown, path: Path): Container {
  let found = file;
  for (const name of path) found = isContainer(found) ? found[name] : undefined;
  return isContainer(found) ? found : {};
}

const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null;
