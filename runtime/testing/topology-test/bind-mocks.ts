/** What look-ups are answered in a test. */
import type { Schema } from '../../stream/schema.ts';
import type { Path } from '../../topology/places.ts';
import { type BindContext, durationOf, nearest } from './bind.ts';
import type { BoundMock, Mocks } from './bound-test.ts';
import type { RawMock, RawMocks } from './format.ts';
import { topologyTestLimits } from './limits.ts';
import { fieldsOf, jsonValue } from './values.ts';

export function bindMocks(raw: RawMocks, path: Path, startMs: number, context: BindContext): Mocks {
  const mocks = new Map<string, readonly BoundMock[]>();
  const lookups = context.topology.operators.filter(({ bound }) => bound.lookup);
  for (const [name, written] of Object.entries(raw ?? {})) {
    const node = lookups.find(({ id }) => id === name);
    if (!node) {
      const suggestion = nearest(
        name,
        lookups.map(({ id }) => id),
      );
      const data = { name, topology: context.topology.file };
      context.report({ code: 'MACH1514', path: [...path, name], at: 'key', data, suggestion });
      continue;
    }
    const schema = node.inputs[0]?.schema ?? { fields: {} };
    const list = Array.isArray(written) ? written : [written];
    const placeOf = (index: number): Path => [...path, name, ...(Array.isArray(written) ? [index] : [])];
    mocks.set(
      name,
      list.map((one, index) => bindMock(one, placeOf(index), { schema, node: name, startMs }, context)),
    );
  }
  return mocks;
}

function bindMock(
  raw: RawMock,
  path: Path,
  { schema, node, startMs }: { schema: Schema; node: string; startMs: number },
  context: BindContext,
): BoundMock {
  if ((raw.answer === undefined) === (raw.error === undefined)) {
    const problem = 'a mock has answer (null: not known there) or error, one of them';
    context.report({ code: 'MACH1501', path, data: { problem } });
  }
  const when = fieldsOf(raw.when ?? {}, schema, {
    now: startMs,
    repetition: 1,
    node,
    report: (problem) => context.report({ ...problem, path: [...path, 'when', ...problem.path] }),
  });
  const { advanceMaxMs } = topologyTestLimits;
  const afterMs = raw.after === undefined ? 0 : durationOf(raw.after, [...path, 'after'], context, advanceMaxMs);
  const answer = jsonValue(raw.answer ?? null, {
    field: 'answer',
    report: (problem) => context.report({ ...problem, path: [...path, 'answer', ...problem.path] }),
  });
  return { when, answer, error: raw.error, afterMs: afterMs ?? 0 };
}
