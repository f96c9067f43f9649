/** Whether a test gives the same at several partitions. */
import { isDeepStrictEqual } from 'node:util';
import { type Accounting, isBalanced } from '../../stream/ledger.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { resultsOf, runAtPartitions } from './at-partitions.ts';
import type { BoundTest } from './bound-test.ts';
import { topologyTestLimits } from './limits.ts';
import type { CollectedRow, World } from './world-form.ts';

export interface PartitionDifference {
  readonly code: 'MACH1521' | 'MACH1526';
  readonly data: Readonly<Record<string, string>>;
  readonly lines: readonly string[];
}

export async function partitionDifference(args: {
  world: World;
  topology: BoundTopology;
  test: BoundTest;
}): Promise<PartitionDifference | undefined> {
  const { world, topology, test } = args;
  const { partitions, startMs } = test;
  const one = resultsOf(world, topology);
  const many = await runAtPartitions({ topology, messages: world.messages(), startMs, partitions });
  if (!isBalanced(many.accounting)) {
    return { code: 'MACH1521', data: { accounting: JSON.stringify(many.accounting) }, lines: [] };
  }
  const differences = [
    ...topology.sinks.map(({ id }) => ({
      what: `the rows of ${id}`,
      lines: differentRows(one.rows.get(id) ?? [], many.rows.get(id) ?? []),
    })),
    { what: 'the dead letters', lines: differentRows(one.deadLetters, many.deadLetters) },
    { what: 'the accounts', lines: differentAccounts(one.accounting, many.accounting) },
  ];
  const found = differences.find(({ lines }) => lines.length > 0);
  if (!found) return undefined;
  const data = { what: found.what, partitions: String(partitions) };
  return { code: 'MACH1526', data, lines: found.lines.slice(0, topologyTestLimits.shownRowsMax) };
}

/** Rows that only one of them has; the order in which partitions write is their own. */
function differentRows(one: readonly CollectedRow[], many: readonly CollectedRow[]): string[] {
  const keyOf = ({ event, time, sequence }: CollectedRow) => JSON.stringify([event, time, sequence]);
  const left = new Map<string, CollectedRow[]>();
  for (const row of many) left.set(keyOf(row), [...(left.get(keyOf(row)) ?? []), row]);
  const lines: string[] = [];
  for (const row of one) {
    if (!left.get(keyOf(row))?.pop()) lines.push(`- ${JSON.stringify(row.event)}`);
  }
  for (const rows of left.values()) for (const { event } of rows) lines.push(`+ ${JSON.stringify(event)}`);
  return lines;
}

function differentAccounts(one: Accounting, many: Accounting): string[] {
  return isDeepStrictEqual(one, many) ? [] : [`- ${JSON.stringify(one)}`, `+ ${JSON.stringify(many)}`];
}
