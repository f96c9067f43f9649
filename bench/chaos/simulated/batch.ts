/** What each workload must have written, computed in one go from the events of the log. Knows nothing of the engine. */
import { valueRefusedByStore } from './simulated-store.ts';
import type { LoggedEvent, Walk } from './walk.ts';
import { alertRule, joinAfterMs, joinBeforeMs, latenessMs, type WorkloadName, windowMs } from './workloads.ts';

export interface Batch {
  /** Table to its rows, each as one line of text; a line comes once for each row that must be there. */
  readonly tables: Readonly<Record<string, readonly string[]>>;
  /** Windows of which the last word is yet to come: time has not moved since their last event. */
  readonly unsaid: ReadonlySet<string>;
  readonly late: number;
  readonly duplicates: number;
  readonly older: number;
  /** Turned away by an operator. */
  readonly noValue: number;
}

type Result = Partial<Omit<Batch, 'noValue'>>;

function identity(able: readonly LoggedEvent[]): Result {
  return { tables: { valid: able.map(({ serial, value }) => `${serial} ${value}`) } };
}

function windows(able: readonly LoggedEvent[], walk: Walk): Result {
  const seen = new Set<string>();
  const open = new Map<string, { begin: number; values: number[]; reached: number }>();
  let late = 0;
  let duplicates = 0;
  for (const { id, hospital, value, time, reached } of able) {
    if (seen.has(id)) {
      duplicates++;
      continue;
    }
    seen.add(id);
    const begin = Math.floor(time / windowMs) * windowMs;
    if (begin + windowMs + latenessMs <= reached.beds) {
      late++;
      continue;
    }
    const key = `${hospital} ${begin}`;
    const window = open.get(key) ?? { begin, values: [], reached: reached.beds };
    window.values.push(value as number);
    window.reached = reached.beds;
    open.set(key, window);
  }
  const isUnsaid = (window: { reached: number }) => window.reached === walk.end.beds;
  const unsaid = new Set([...open].filter(([, window]) => isUnsaid(window)).map(([key]) => key));
  const closed = [...open].filter(([key, { begin }]) => begin + windowMs <= walk.end.beds && !unsaid.has(key));
  const sums = closed.map(([key, { values }]) => {
    const total = values.reduce((sum, value) => sum + value, 0);
    return `${key} ${values.length} ${total} ${Math.max(...values)}`;
  });
  return { tables: { sums }, unsaid, late, duplicates };
}

function join(able: readonly LoggedEvent[], walk: Walk): Result {
  const isLate = ({ time, reached }: LoggedEvent) => time < reached.both;
  const lefts = able.filter((event) => !isLate(event));
  const rights = walk.events.filter((event) => event.source === 'calls' && !isLate(event));
  const paired = lefts.flatMap((left) =>
    rights
      .filter(({ hospital, time }) => hospital === left.hospital && time >= left.time - joinBeforeMs)
      .filter(({ time }) => time <= left.time + joinAfterMs)
      .map((right) => `${left.serial} ${right.serial}`),
  );
  return { tables: { paired }, late: able.length - lefts.length };
}

/** What was true at an event counts as true until the next one. */
function alert(able: readonly LoggedEvent[], walk: Walk): Result {
  const { raiseAbove, holdMs, clearBelow, clearHoldMs } = alertRule;
  const hospitals = new Map<string, LoggedEvent[]>();
  let late = 0;
  let older = 0;
  for (const event of able) {
    const taken = hospitals.get(event.hospital) ?? [];
    hospitals.set(event.hospital, taken);
    if (event.time < event.reached.beds) late++;
    else if (event.time < (taken.at(-1)?.time ?? Number.NEGATIVE_INFINITY)) older++;
    else taken.push(event);
  }
  const alerts: string[] = [];
  for (const [hospital, taken] of hospitals) {
    let raised = false;
    let since: number | undefined;
    const change = (until: number) => {
      const at = since === undefined ? Number.POSITIVE_INFINITY : since + (raised ? clearHoldMs : holdMs);
      if (at > until) return;
      raised = !raised;
      since = undefined;
      alerts.push(`${hospital} ${raised ? 'raised' : 'cleared'} ${at}`);
    };
    for (const { time, value } of taken) {
      change(time);
      const holds = raised ? (value as number) < clearBelow : (value as number) > raiseAbove;
      since = holds ? (since ?? time) : undefined;
    }
    change(walk.end.beds);
  }
  return { tables: { alerts }, late, older };
}

function lookUp(able: readonly LoggedEvent[]): Result {
  return { tables: { answers: able.map(({ serial }) => `${serial}`) } };
}

const workloads: Readonly<Record<WorkloadName, (able: readonly LoggedEvent[], walk: Walk) => Result>> = {
  identity,
  windows,
  join,
  alert,
  'look-up': lookUp,
};

export function computeBatch(workload: WorkloadName, walk: Walk): Batch {
  const beds = walk.events.filter(({ source }) => source === 'beds');
  const able = beds.filter(({ value }) => value !== null);
  const calls = walk.events.filter(({ source, value }) => source === 'calls' && value !== valueRefusedByStore);
  const { tables, unsaid = new Set(), late = 0, duplicates = 0, older = 0 } = workloads[workload](able, walk);
  return {
    tables: { rows: calls.map(({ serial, value }) => `${serial} ${value}`), ...tables },
    unsaid,
    late,
    duplicates,
    older,
    noValue: beds.length - able.length,
  };
}
