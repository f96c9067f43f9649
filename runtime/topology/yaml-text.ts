/** YAML to plain data with places, within bounds, every mistake as a diagnostic. */
import { type Document, isAlias, isMap, isPair, isScalar, isSeq, Lexer, parseDocument, type Scalar } from 'yaml';
import { type Diagnostic, makeDiagnostic } from './diagnostic.ts';
import type { RawValue } from './ir/options-node.ts';
import { topologyLimits } from './limits.ts';
import { FilePlaces, type Path } from './places.ts';

/**
 * `${env:X}` may stand in flow mappings (`{ folder: ${env:FILES} }`), where YAML gives braces, brackets, commas a meaning. Inside
 * a reference they are masked by noncharacters of the same length, so that every offset stays right.
 */
const masked = ['{', '}', '[', ']', ',', '#'] as const;
const maskBase = 0xfdd0;
const referencePattern = /\$\{[a-zA-Z]*:[^}\r\n"']*\}/g;

function mask(text: string): string {
  return text.replace(referencePattern, (reference) =>
    [...reference].map((character) => maskCharacter(character)).join(''),
  );
}

function maskCharacter(character: string): string {
  const index = masked.indexOf(character as (typeof masked)[number]);
  return index === -1 ? character : String.fromCharCode(maskBase + index);
}

function unmask(text: string): string {
  return text.replace(/[\ufdd0-\ufdd5]/g, (character) => masked[character.charCodeAt(0) - maskBase] ?? character);
}

export interface YamlResult {
  readonly value?: RawValue;
  readonly places: FilePlaces;
  readonly diagnostics: readonly Diagnostic[];
}

/** `value` is absent when the text is not YAML; the syntax errors are all that can then be said. */
export function readYaml(text: string, file: string): YamlResult {
  const source = mask(text);
  const places = new FilePlaces(file, text);
  const scan = scanTokens(source);
  if (scan.tooDeepAt !== undefined) {
    const span = places.span(scan.tooDeepAt, scan.tooDeepAt + 1);
    const data = { max: topologyLimits.nestingDepthMax };
    return { places, diagnostics: [makeDiagnostic('MACH1007', { file, span, data })] };
  }
  const document = parseDocument(source, { prettyErrors: false, uniqueKeys: false });
  const syntax = syntaxDiagnostics(document, { text, places, quoteAt: scan.lastQuoteAt });
  if (syntax.length > 0) return { places, diagnostics: syntax };
  return new Reader(document, places).read();
}

/** The composer of the YAML library is recursive, and ends the process on deep nesting; its lexer is not. So look first. */
function scanTokens(source: string): { tooDeepAt?: number; lastQuoteAt?: number } {
  let at = 0;
  let depth = 0;
  let indicatorsOfLine = 0;
  let lastQuoteAt: number | undefined;
  for (const token of new Lexer().lex(source)) {
    if (token === '{' || token === '[') depth++;
    if (token === '}' || token === ']') depth = Math.max(0, depth - 1);
    if (depth === 0 && (token === '-' || token === '?' || token === ':')) indicatorsOfLine++;
    if (token.includes('\n')) indicatorsOfLine = 0;
    if (token.startsWith('"') || token.startsWith("'")) lastQuoteAt = at;
    // `- - - -` nests by block indicators of one line; those inside of flow collections nest nothing.
    if (depth > topologyLimits.nestingDepthMax || (depth === 0 && indicatorsOfLine > topologyLimits.nestingDepthMax)) {
      return { tooDeepAt: Math.min(at, source.length - 1) };
    }
    // The lexer marks the start of a document, scalars, and flow errors with tokens that are not in the text.
    if (!/^[\u0002\u0018\u001f\ufeff]$/.test(token)) at += token.length;
  }
  return lastQuoteAt === undefined ? {} : { lastQuoteAt };
}

const reasons: Readonly<Record<string, string>> = {
  BAD_INDENT: 'this line does not start at the column of the lines that it belongs to, or a bracket is not closed',
  BAD_SCALAR_START: 'a text may not begin with this character; put the text in quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'a mapping may not begin in the line of its key; put it in the next line, or the text in quotes',
  MULTILINE_IMPLICIT_KEY: 'a key must be on one line; a `:` may be missing',
  BAD_DQ_ESCAPE: 'this is not an escape; write `\\\\` for a backslash, or use single quotes',
  MULTIPLE_DOCS: 'a second document begins here; a topology file has one',
  NON_STRING_KEY: 'keys must be plain text',
  TAG_RESOLVE_FAILED: 'a text that begins with "!" must stand in quotes',
};
/** Inside of brackets these end a text that stands without quotes, as an expression with a list does. */
const bracketInText = /^Unexpected flow-(?:seq|map)-start at node end/;
const bracketReason = 'a bracket or brace may not stand in a text between brackets or braces; put the text in quotes';

function syntaxDiagnostics(
  document: Document,
  { text, places, quoteAt }: { text: string; places: FilePlaces; quoteAt: number | undefined },
): Diagnostic[] {
  const found: Diagnostic[] = [];
  const linesSeen = new Set<number>();
  let isAstray = false;
  for (const { code, pos, message } of [...document.errors, ...document.warnings]) {
    const quote = code === 'MISSING_CHAR' && message.includes('quote') ? quoteAt : undefined;
    const start = quote ?? Math.min(pos[0], Math.max(0, text.length - 1));
    const span = places.span(start, quote === undefined ? Math.max(pos[1], start + 1) : start + 1);
    // One mistake makes the reader stumble over everything after it; only what stands alone is worth reading.
    if (linesSeen.has(span.line) || (found.length > 0 && code === 'UNEXPECTED_TOKEN')) continue;
    linesSeen.add(span.line);
    const tab = leadingTab(text, start);
    // After a line at a wrong column all others seem to be at wrong ones.
    if (isAstray && tab === undefined) continue;
    isAstray ||= tab !== undefined || code === 'BAD_INDENT';
    if (tab !== undefined) {
      found.push(
        makeDiagnostic('MACH1006', {
          file: places.file,
          span: places.span(tab, tab + 1),
          suggestion: 'indent with spaces',
        }),
      );
      continue;
    }
    const reason = quote === undefined ? (reasons[code] ?? reasonOf(message)) : 'this quote is not closed';
    found.push(makeDiagnostic('MACH1005', { file: places.file, span, data: { reason } }));
  }
  return found;
}

function reasonOf(message: string): string {
  return bracketInText.test(message) ? bracketReason : lowerFirst(unmask(message));
}

function leadingTab(text: string, at: number): number | undefined {
  const lineStart = text.lastIndexOf('\n', at - 1) + 1;
  const indent = /^[ \t]*/.exec(text.slice(lineStart))?.[0] ?? '';
  const tab = indent.indexOf('\t');
  return tab === -1 ? undefined : lineStart + tab;
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}

type YamlNode = { range?: [number, number, number] | null };

class Reader {
  readonly #document: Document;
  readonly #places: FilePlaces;
  readonly #diagnostics: Diagnostic[] = [];
  /** Those met so far: an alias stands for the last one before it. */
  readonly #anchors = new Map<string, YamlNode>();
  #values = 0;
  #overflowed = false;

  constructor(document: Document, places: FilePlaces) {
    this.#document = document;
    this.#places = places;
  }

  read(): YamlResult {
    const value = this.#value(this.#document.contents as YamlNode | null, [], 0);
    return { places: this.#places, diagnostics: this.#diagnostics, ...(!this.#overflowed && { value }) };
  }

  #value(node: YamlNode | null, path: Path, depth: number): RawValue {
    if (!this.#admit(node, depth)) return null;
    if (isAlias(node)) {
      const range = rangeOf(node as YamlNode);
      this.#places.record(path, { value: range });
      const target = this.#anchors.get(node.source);
      if (!target) {
        this.#problem('MACH1005', range, {
          reason: `"*${node.source}" stands for nothing: no "&${node.source}" comes before it`,
        });
        return null;
      }
      return this.#value(target, path, depth + 1);
    }
    const { anchor } = node as { anchor?: string };
    if (anchor !== undefined) this.#anchors.set(anchor, node as YamlNode);
    const range = rangeOf(node);
    if (isScalar(node)) return this.#scalar(node, path, range);
    this.#places.record(path, { value: range });
    if (isMap(node)) return this.#mapping(node.items as readonly unknown[], path, depth);
    if (isSeq(node)) return node.items.map((item, index) => this.#value(item as YamlNode, [...path, index], depth + 1));
    return null;
  }

  #scalar(node: Scalar, path: Path, range: { start: number; end: number }): RawValue {
    const { value, type } = node;
    if (typeof value !== 'string') {
      this.#places.record(path, { value: range });
      if (typeof value === 'bigint') return Number(value);
      return typeof value === 'number' || typeof value === 'boolean' ? value : null;
    }
    const text = unmask(value);
    const style = type as Scalar.Type | undefined;
    this.#places.record(path, { value: range, scalar: { ...range, style, value: text } });
    return text;
  }

  #mapping(items: readonly unknown[], path: Path, depth: number): RawValue {
    const result: Record<string, RawValue> = Object.create(null);
    const first = new Map<string, number>();
    for (const pair of items) {
      if (!isPair(pair)) continue;
      const keyNode = pair.key as YamlNode | null;
      const range = rangeOf(keyNode);
      const key = this.#key(keyNode, range);
      if (key === undefined) continue;
      const line = first.get(key);
      if (line !== undefined) {
        this.#problem('MACH1009', range, { key, line });
        continue;
      }
      first.set(key, this.#places.span(range.start, range.end).line);
      const inner = [...path, key];
      this.#places.record(inner, { key: range });
      result[key] = this.#value(pair.value as YamlNode | null, inner, depth + 1);
    }
    return result;
  }

  #key(node: YamlNode | null, range: { start: number; end: number }): string | undefined {
    if (!isScalar(node) || node.value === null) {
      this.#problem('MACH1005', range, { reason: 'keys must be plain text' });
      return undefined;
    }
    const key = unmask(String(node.value));
    if (/\$\{[a-z]+:/.test(key)) this.#problem('MACH1404', range, { key });
    return key;
  }

  #admit(node: YamlNode | null, depth: number): boolean {
    if (this.#overflowed) return false;
    if (depth > topologyLimits.nestingDepthMax) {
      this.#overflowed = true;
      this.#problem('MACH1007', rangeOf(node), { max: topologyLimits.nestingDepthMax });
      return false;
    }
    if (++this.#values > topologyLimits.valuesMax) {
      this.#overflowed = true;
      this.#problem('MACH1008', rangeOf(node), { max: topologyLimits.valuesMax });
      return false;
    }
    return node !== null;
  }

  #problem(
    code: 'MACH1005' | 'MACH1007' | 'MACH1008' | 'MACH1009' | 'MACH1404',
    { start, end }: { start: number; end: number },
    data: Record<string, string | number>,
  ): void {
    this.#diagnostics.push(
      makeDiagnostic(code, { file: this.#places.file, span: this.#places.span(start, end), data }),
    );
  }
}

function rangeOf(node: YamlNode | null | undefined): { start: number; end: number } {
  const [start = 0, end = start] = node?.range ?? [];
  return { start, end };
}
