import { expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { Ledger } from '../stream/ledger.ts';
import type { BoundSourceNode } from '../topology/bound.ts';
import type { SourceFrame } from './log-frame.ts';
import { StageSource } from './stage-source.ts';

function source() {
  const node = { id: 'files', disorderMs: 0, bound: { ports: { out: { fields: {} } } } } as unknown as BoundSourceNode;
  return new StageSource(node, { ledger: new Ledger(), isFirst: true, endWave() {}, deadLetter() {} });
}

/** What origins have said of their positions, and no event. */
function said(...marks: (readonly [origin: string, mark: string])[]): SourceFrame {
  const segments = marks.map(([origin, mark]) => ({ origin, mark, events: 0 }));
  return { kind: 'source', acceptedAt: 1, segments, deadLetters: [], times: [], events: [] };
}

it('remembers the newest positions of senders, however many there have been, also after a restart', () => {
  const files = source();
  const many = Array.from({ length: limits.originMarksMax }, (_, number) => [`tep-${number}`, '1'] as const);
  files.handle(said(...many));
  files.handle(said(['tep-0', '2']));
  const again = source();
  again.restore(files.snapshot());
  again.handle(said(['tep-moi', '1']));
  expect(['tep-0', 'tep-1', 'tep-2', 'tep-moi'].map((origin) => again.mark(origin))).toEqual([
    '2',
    undefined,
    '1',
    '1',
  ]);
  expect(again.snapshot().marks.size).toBe(limits.originMarksMax);
});
