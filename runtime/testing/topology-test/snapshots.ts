/** Snapshots of rows, kept in a file beside the tests: `rooms.test.snapshot.yaml` beside `rooms.test.yaml`. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Document, isMap, isSeq, parse, visit } from 'yaml';
import { messageOf } from '../../errors.ts';
import type { Event, Schema } from '../../stream/schema.ts';
import { topologyTestErrors } from './errors.ts';
import { topologyTestLimits } from './limits.ts';
import { timeKey } from './values.ts';
import type { CollectedRow } from './world-form.ts';

type Kept = Record<string, Record<string, Event[]>>;

export interface Snapshots {
  /** Rows are written down instead of compared. */
  readonly update: boolean;
  get(test: string, name: string): readonly Event[] | undefined;
  put(test: string, name: string, rows: readonly Event[]): void;
  /** Writes what was put; with `isWhole`, forgets what no test asked for. Gives the number of snapshots that are others now. */
  save(options: { readonly isWhole: boolean }): number;
}

const head = ' Rows as they were when `mach test --update` wrote them down. Read what changed before you keep it.';

export function snapshotFileOf(testFile: string): string {
  return testFile.replace(/\.ya?ml$/, '.snapshot.yaml');
}

/** Throws MACH1501 when the file cannot be read. */
export function openSnapshots(testFile: string, { update }: { update: boolean }): Snapshots {
  const file = snapshotFileOf(testFile);
  const kept: Kept = existsSync(file) ? read(file) : {};
  const made: Kept = {};
  return {
    update,
    get: (test, name) => kept[test]?.[name],
    put(test, name, rows) {
      made[test] = { ...made[test], [name]: [...rows] };
    },
    save({ isWhole }) {
      const next = isWhole ? made : merge(kept, made);
      const before = namesOf(kept);
      const after = namesOf(next);
      const others = [...new Set([...before.keys(), ...after.keys()])].filter(
        (key) => before.get(key) !== after.get(key),
      );
      if (others.length === 0) return 0;
      if (after.size === 0) rmSync(file, { force: true });
      else writeFileSync(file, textOf(next));
      return others.length;
    },
  };
}

function read(file: string): Kept {
  try {
    return (parse(readFileSync(file, 'utf8')) ?? {}) as Kept;
  } catch (error) {
    throw topologyTestErrors.make('MACH1501', { problem: `${file} cannot be read: ${messageOf(error)}` }, error);
  }
}

function merge(kept: Kept, made: Kept): Kept {
  const tests = [...new Set([...Object.keys(kept), ...Object.keys(made)])];
  return Object.fromEntries(tests.map((test) => [test, { ...kept[test], ...made[test] }]));
}

function namesOf(kept: Kept): Map<string, string> {
  const entries = Object.entries(kept).flatMap(([test, snapshots]) =>
    Object.entries(snapshots).map(([name, rows]) => [JSON.stringify([test, name]), JSON.stringify(rows)] as const),
  );
  return new Map(entries);
}

/** A row on each line. */
function textOf(kept: Kept): string {
  const document = new Document(kept);
  document.commentBefore = head;
  visit(document, {
    Seq(_, node, path) {
      if (path.filter(isSeq).length > 0) return;
      for (const row of node.items) if (isMap(row)) row.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

/** As it stands in a snapshot: times to be read by people, everything else as it is. */
export function snapshotRows(rows: readonly CollectedRow[], { fields }: Schema): Event[] {
  const shown = (time: number) => new Date(time).toISOString();
  return rows.slice(0, topologyTestLimits.snapshotRowsMax).map(({ event, time }) => {
    const entries = Object.entries(event).map(([name, value]) => {
      const isTime = fields[name]?.type.kind === 'timestamp' && typeof value === 'number';
      return [name, isTime ? shown(value) : value] as const;
    });
    return JSON.parse(JSON.stringify({ ...Object.fromEntries(entries), [timeKey]: shown(time) })) as Event;
  });
}
