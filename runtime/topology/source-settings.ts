/** The keys that all sources share: `durability`, `idle`, `disorder`, `event_time`. */
import { didYouMean } from '../did-you-mean.ts';
import { parseDuration } from '../stream/options.ts';
import type { EventTime } from './bound.ts';
import { makeDiagnostic } from './diagnostic.ts';
import { nodePath, type SourceEntry } from './entry.ts';
import { describeValue, unitProblem } from './option-problems.ts';
import { type ReferenceContext, resolveReferences } from './references.ts';

const sourceDefaults = {
  /** Idle handling is on by default: a sender that goes silent must not hold everyone's windows open. */
  idleMs: 60_000,
  /** Senders deliver in order unless the topology says otherwise; each origin has its own watermark. */
  disorderMs: 0,
} as const;

export interface SourceSettings {
  readonly durability: 'disk' | 'broker';
  readonly idleMs: number;
  readonly disorderMs: number;
  readonly eventTime: EventTime;
}

/** As they are written beside a source. */
export const sourceKeys = ['idle', 'disorder', 'durability', 'event_time'] as const;

const eventTimes = ['arrival'] as const;
const durabilities = ['disk', 'broker'] as const;

export function readSourceSettings(entry: SourceEntry, context: ReferenceContext): SourceSettings {
  return {
    durability: readName(entry, 'durability', context, durabilities, durabilityMeans) ?? entry.definition.durability,
    idleMs: readDuration(entry, 'idle', context) ?? sourceDefaults.idleMs,
    disorderMs: readDuration(entry, 'disorder', context) ?? sourceDefaults.disorderMs,
    eventTime: readName(entry, 'event_time', context, eventTimes, eventTimeMeans) ?? 'event',
  };
}

function readText(entry: SourceEntry, key: (typeof sourceKeys)[number], context: ReferenceContext) {
  const raw = entry.node[key];
  if (raw === undefined) return undefined;
  const path = [...nodePath(entry), key];
  const { value, unresolved } = resolveReferences(raw, path, context);
  return unresolved.size > 0 ? undefined : { path, raw, text: String(value) };
}

function readDuration(entry: SourceEntry, key: 'idle' | 'disorder', context: ReferenceContext): number | undefined {
  const found = readText(entry, key, context);
  if (!found) return undefined;
  const durationMs = parseDuration(found.text);
  if (durationMs !== undefined) return durationMs;
  const shown = /^\d+$/.test(found.raw) ? Number(found.raw) : found.raw;
  const { code, data, suggestion } = unitProblem([key], shown, 'duration');
  const { places } = context;
  context.report(makeDiagnostic(code, { file: places.file, span: places.find(found.path), data, suggestion }));
  return undefined;
}

const durabilityMeans = 'disk: synced before it is acknowledged; broker: acknowledged once the broker has it';
const eventTimeMeans =
  'arrival: when the engine took the event in; leave it out for the time that the event has itself';

/** One of a few names; undefined where there is none, or, with the problem reported, another. */
function readName<N extends string>(
  entry: SourceEntry,
  key: 'durability' | 'event_time',
  context: ReferenceContext,
  names: readonly N[],
  meaning: string,
): N | undefined {
  const found = readText(entry, key, context);
  const known = names.find((name) => name === found?.text);
  if (!found || known) return known;
  const near = didYouMean(found.raw, names);
  const data = { option: key, problem: `${describeValue(found.raw)} is none of ${names.join(', ')}` };
  const suggestion = near ? `did you mean ${near}?` : meaning;
  const { places } = context;
  context.report(makeDiagnostic('MACH1018', { file: places.file, span: places.find(found.path), data, suggestion }));
  return undefined;
}
