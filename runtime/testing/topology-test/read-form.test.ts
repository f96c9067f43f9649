import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { RawValue } from '../../topology/ir/options-node.ts';
import { readForm } from './read-form.ts';

const any = fc.jsonValue({ maxDepth: 1 });
const sometimes = (usual: fc.Arbitrary<unknown>) => fc.oneof({ weight: 6, arbitrary: usual }, any);
const step = fc.oneof(
  fc.record({ send: sometimes(fc.record({ source: sometimes(fc.constant('calls')), event: sometimes(any) })) }),
  fc.record({ advance: sometimes(fc.constant('5m')) }),
  fc.record({ expect: sometimes(fc.record({ sink: fc.constant('rows'), rows: any, other: any })) }),
);
const test = fc.record({ name: sometimes(fc.string()), steps: sometimes(fc.array(sometimes(step), { maxLength: 3 })) });
const file = fc.record({
  topology: sometimes(fc.constant('a.yaml')),
  mocks: any,
  tests: fc.array(sometimes(test), { maxLength: 3 }),
});

it('takes any value: what is right stays where it is, and what is not is told of', () => {
  fc.assert(
    fc.property(fc.oneof(any, file), (value) => {
      let problems = 0;
      const { raw } = readForm(value as RawValue, () => problems++);
      const given = (value as { tests?: readonly unknown[] } | null)?.tests;
      if (raw) expect(raw.tests).toHaveLength(given?.length ?? 0);
      if (problems === 0) expect(raw?.tests.flatMap((one) => one?.steps ?? [])).not.toContain(undefined);
      if (!raw) expect(problems).toBeGreaterThan(0);
    }),
    { numRuns: 300 },
  );
});
