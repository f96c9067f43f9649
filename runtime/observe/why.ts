/** What a key of a node waits for, asked of the running engine. */
import type { Engine } from '../execution/engine.ts';
import { lastWordOf } from '../execution/why/last-word.ts';
import { describeOpenKey, type OpenReport } from '../execution/why/open-key.ts';
import { isoTime } from '../execution/why/shown.ts';

/** Rejects as `describeOpenKey` does. */
export async function engineOpenKey(
  engine: Engine,
  { node, key, isRecorded, now }: { node: string; key: string; isRecorded?: boolean; now: number },
): Promise<OpenReport> {
  const machines = [...engine.units.values()].flatMap(({ stages }) => stages.map(({ machine }) => machine));
  return describeOpenKey({
    topology: engine.topology,
    node,
    key,
    ...(isRecorded !== undefined && { isRecorded }),
    stages: machines.map((machine) => machine.view()),
    asOf: { kind: 'engine', at: isoTime(now), name: null },
    now,
    lastWord: (source, origin) => lastWordOf(engine.input, source, origin),
  });
}
