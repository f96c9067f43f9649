/** The keys that all sources share: `durability`, `idle`, `disorder`. */
import { didYouMean } from '../did-you-mean.ts';
import { parseDuration } from '../stream/options.ts';
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
}

const durabilities = ['disk', 'broker'] as const;

export function readSourceSettings(entry: SourceEntry, context: ReferenceContext): SourceSettings {
  return {
    durability: readDurability(entry, context),
    idleMs: readDuration(entry, 'idle', context) ?? sourceDefaults.idleMs,
    disorderMs: readDuration(entry, 'disorder', context) ?? sourceDefaults.disorderMs,
  };
}

function readText(entry: SourceEntry, key: 'idle' | 'disorder' | 'durability', context: ReferenceContext) {
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

function readDurability(entry: SourceEntry, context: ReferenceContext): 'disk' | 'broker' {
  const found = readText(entry, 'durability', context);
  if (!found) return entry.definition.durability;
  const known = durabilities.find((name) => name === found.text);
  if (known) return known;
  const near = didYouMean(found.raw, durabilities);
  const data = { option: 'durability', problem: `${describeValue(found.raw)} is none of disk, broker` };
  const suggestion = near
    ? `did you mean ${near}?`
    : 'disk: synced before it is acknowledged; broker: acknowledged once the broker has it';
  const { places } = context;
  context.report(makeDiagnostic('MACH1018', { file: places.file, span: places.find(found.path), data, suggestion }));
  return entry.definition.durability;
}
