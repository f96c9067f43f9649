/** `${env:X}`, `${env:X:-default}` and `${file:PATH}` in values: filled in when a topology is loaded, never printed. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { didYouMean } from '../did-you-mean.ts';
import { type Diagnostic, makeDiagnostic } from './diagnostic.ts';
import { pointerOf, type RawValue } from './ir/options-node.ts';
import { topologyLimits } from './limits.ts';
import type { Path, Places } from './places.ts';
import type { SecretSet } from './redactor.ts';

export type Environment = Readonly<Record<string, string | undefined>>;
export type ReadFile = (path: string) => Uint8Array;

/** A part of a text that came from a reference. */
export interface Substitution {
  readonly reference: string;
  readonly value: string;
  /** In the text as written. */
  readonly rawOffset: number;
  /** In the text with everything filled in. */
  readonly offset: number;
}

export interface Resolved {
  readonly value: RawValue;
  /** By pointer relative to the value given: the texts that hold references (or escapes). */
  readonly substitutions: ReadonlyMap<string, readonly Substitution[]>;
  /** Pointers of texts with a reference that could not be filled in. */
  readonly unresolved: ReadonlySet<string>;
}

export interface ReferenceContext {
  readonly places: Places;
  readonly env: Environment;
  readonly readFile: ReadFile;
  readonly secrets: SecretSet;
  report(diagnostic: Diagnostic): void;
}

const pattern = /\$\$\{|\$\{([a-zA-Z]*):([^}\r\n]*)\}|\$\{[a-zA-Z]+:/g;

/** Fills in the references of a value; `path` is where the value stands in the file. */
export function resolveReferences(value: RawValue, path: Path, context: ReferenceContext): Resolved {
  const substitutions = new Map<string, readonly Substitution[]>();
  const unresolved = new Set<string>();
  const walk = (inner: RawValue, relative: Path): RawValue => {
    if (typeof inner === 'string') {
      if (!inner.includes('${')) return inner;
      const result = fillIn(inner, [...path, ...relative], context);
      if (result.substitutions.length > 0) substitutions.set(pointerOf(relative), result.substitutions);
      if (result.failed) unresolved.add(pointerOf(relative));
      return result.text;
    }
    if (Array.isArray(inner)) return inner.map((item: RawValue, index) => walk(item, [...relative, index]));
    if (inner === null || typeof inner !== 'object') return inner;
    const entries = Object.entries(inner).map(([key, item]) => [key, walk(item as RawValue, [...relative, key])]);
    return Object.fromEntries(entries) as RawValue;
  };
  return { value: walk(value, []), substitutions, unresolved };
}

function fillIn(text: string, path: Path, context: ReferenceContext) {
  const substitutions: Substitution[] = [];
  let failed = false;
  let result = '';
  let rest = 0;
  for (const match of text.matchAll(pattern)) {
    const [reference, kind, name] = match;
    result += text.slice(rest, match.index);
    rest = match.index + reference.length;
    const part = { offset: match.index, length: reference.length };
    const value =
      reference === '$${'
        ? '${'
        : lookUp({ reference, kind, name }, context, (code, data, suggestion) => {
            const span = context.places.find(path, { part });
            context.report(makeDiagnostic(code, { file: context.places.file, span, data, suggestion }));
          });
    if (value === undefined) failed = true;
    else substitutions.push({ reference, value, rawOffset: match.index, offset: result.length });
    // A default stands in the file for all to read: it is no secret.
    if (value !== undefined && reference !== '$${' && !reference.endsWith(`:-${value}}`))
      context.secrets.add(value, reference);
    result += value ?? 'unresolved';
  }
  return { text: result + text.slice(rest), substitutions, failed };
}

type Report = (code: 'MACH1401' | 'MACH1402' | 'MACH1403', data: Record<string, string>, suggestion?: string) => void;

function lookUp(
  { reference, kind, name }: { reference: string; kind: string | undefined; name: string | undefined },
  { env, readFile, places }: ReferenceContext,
  report: Report,
): string | undefined {
  const [, variable, fallback] = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/.exec(name ?? '') ?? [];
  if (kind === 'env' && variable !== undefined) {
    const value = env[variable];
    if (value !== undefined) return value;
    if (fallback !== undefined) return fallback;
    const near = didYouMean(variable, Object.keys(env));
    report('MACH1401', { name: variable }, near && `did you mean ${near}?`);
    return undefined;
  }
  if (kind === 'file' && name) return readReferenced(name, { readFile, places }, report);
  const near = kind && kind !== 'env' && kind !== 'file' ? didYouMean(kind, ['env', 'file']) : undefined;
  const suggestion = near ? `did you mean \${${near}:${name ?? ''}}?` : 'write ${env:NAME} or ${file:PATH}';
  report('MACH1403', { reference }, suggestion);
  return undefined;
}

function readReferenced(
  path: string,
  { readFile, places }: Pick<ReferenceContext, 'readFile' | 'places'>,
  report: Report,
): string | undefined {
  const fail = (reason: string) => {
    report('MACH1402', { path, reason });
    return undefined;
  };
  let content: Uint8Array;
  try {
    content = readFile(resolveBeside(places.file, path));
  } catch (error) {
    return fail(describeFileProblem(error));
  }
  if (content.length > topologyLimits.referencedFileBytesMax) {
    return fail(
      `it has more than topologyLimits.referencedFileBytesMax (${topologyLimits.referencedFileBytesMax}) bytes`,
    );
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content).replace(/\r?\n$/, '');
  } catch {
    return fail('it is not UTF-8 text');
  }
}

/** Paths in a topology are taken from the folder of the topology file. */
export function resolveBeside(file: string, path: string): string {
  return resolve(dirname(file), path);
}

export function readFileFromDisk(path: string): Uint8Array {
  return readFileSync(path);
}

/** The reason in words, without the path (which stands beside it). */
export function describeFileProblem(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'it does not exist';
  if (code === 'EACCES' || code === 'EPERM') return 'this user may not read it';
  if (code === 'EISDIR') return 'it is a folder';
  return code ? `the system says ${code}` : 'it cannot be read';
}

/** From an offset in the filled-in text to the part of the text as written that it came from. */
export function toRawPart(
  { offset, length }: { offset: number; length: number },
  substitutions: readonly Substitution[],
): { offset: number; length: number } {
  const start = toRawOffset(offset, substitutions, 'start');
  const end = toRawOffset(offset + Math.max(length, 1) - 1, substitutions, 'end');
  return { offset: start, length: Math.max(1, end - start + 1) };
}

function toRawOffset(offset: number, substitutions: readonly Substitution[], side: 'start' | 'end'): number {
  let shift = 0;
  for (const { offset: at, rawOffset, value, reference } of substitutions) {
    if (offset < at) break;
    if (offset < at + value.length) return side === 'start' ? rawOffset : rawOffset + reference.length - 1;
    shift += reference.length - value.length;
  }
  return offset + shift;
}
