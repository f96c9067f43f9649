/** Reads a pattern that JavaScript has found well-formed (flag `u`), and refuses what is not regular. */

export type PatternNode =
  | { readonly kind: 'character'; readonly accepts: (codePoint: number) => boolean }
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly parts: readonly PatternNode[] }
  | {
      readonly kind: 'repeat';
      readonly of: PatternNode;
      readonly min: number;
      readonly max: number;
      /** As few as possible are preferred. */
      readonly lazy: boolean;
    }
  /** The first group that takes out what it matches. */
  | { readonly kind: 'group'; readonly of: PatternNode };

export type PatternSyntax =
  | { readonly ok: true; readonly node: PatternNode }
  | { readonly ok: false; readonly reason: string };

class Unsupported extends Error {}

export function parsePattern(source: string, ignoreCase: boolean): PatternSyntax {
  try {
    return { ok: true, node: new Reader(source, ignoreCase ? 'iu' : 'u').choice() };
  } catch (error) {
    if (error instanceof Unsupported) return { ok: false, reason: error.message };
    throw error;
  }
}

const quantifier = /(?:[*+?]|\{(\d+)(,(\d*))?\})\??/y;
/** One escape: a class, a code, or an escaped sign. */
const escapeSequence =
  /\\(?:[pP]\{[^}]*\}|u\{[0-9a-fA-F]+\}|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[a-zA-Z]|[\s\S])/uy;
const charactersClass = /\[(?:\\[\s\S]|[^\]\\])*\]/uy;

class Reader {
  private at = 0;
  private hasGroup = false;
  private readonly source: string;
  private readonly flags: string;

  constructor(source: string, flags: string) {
    this.source = source;
    this.flags = flags;
  }

  choice(): PatternNode {
    const parts = [this.sequence()];
    while (this.take('|')) parts.push(this.sequence());
    return parts.length === 1 ? (parts[0] as PatternNode) : { kind: 'choice', parts };
  }

  private sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (
      this.at < this.source.length &&
      !this.source.startsWith('|', this.at) &&
      !this.source.startsWith(')', this.at)
    ) {
      parts.push(this.quantified(this.atom()));
    }
    return { kind: 'sequence', parts };
  }

  private quantified(of: PatternNode): PatternNode {
    const match = this.match(quantifier);
    if (!match) return of;
    const lazy = match[0].length > 1 && match[0].endsWith('?');
    switch (match[0].charAt(0)) {
      case '*':
        return { kind: 'repeat', of, min: 0, max: Number.POSITIVE_INFINITY, lazy };
      case '+':
        return { kind: 'repeat', of, min: 1, max: Number.POSITIVE_INFINITY, lazy };
      case '?':
        return { kind: 'repeat', of, min: 0, max: 1, lazy };
    }
    const min = Number(match[1]);
    const max = match[2] === undefined ? min : match[3] ? Number(match[3]) : Number.POSITIVE_INFINITY;
    return { kind: 'repeat', of, min, max, lazy };
  }

  private atom(): PatternNode {
    if (this.take('^')) return { kind: 'start' };
    if (this.take('$')) return { kind: 'end' };
    if (this.take('(')) return this.group();
    if (this.source.startsWith('\\', this.at)) return this.escaped();
    const set = this.match(charactersClass)?.[0];
    if (set !== undefined) return this.character(set);
    const [sign] = this.source.slice(this.at, this.at + 2);
    this.at += (sign as string).length;
    return this.character(sign as string);
  }

  private group(): PatternNode {
    if (/^\?(?:=|!|<=|<!)/.test(this.source.slice(this.at)))
      throw new Unsupported('it looks ahead or behind, which takes more than linear time');
    const head = this.match(/\?(?::|<[^>]*>)/y);
    if (!head && this.source.startsWith('?', this.at))
      throw new Unsupported('of the flags there is only (?i), at the start');
    const isFirst = !this.hasGroup && head?.[0] !== '?:';
    if (isFirst) this.hasGroup = true;
    const inner = this.choice();
    this.take(')');
    return isFirst ? { kind: 'group', of: inner } : inner;
  }

  private escaped(): PatternNode {
    const text = this.match(escapeSequence)?.[0] as string;
    const sign = text.charAt(1);
    if (sign === 'b' || sign === 'B')
      throw new Unsupported('\\b knows only unaccented letters; write (^|[^\\p{L}])word([^\\p{L}]|$)');
    if (sign === 'k' || (sign >= '1' && sign <= '9'))
      throw new Unsupported('it refers back to a group, which takes more than linear time');
    return this.character(text);
  }

  /** What one character may be is left to JavaScript: a class, an escape, a sign, with the flags. */
  private character(source: string): PatternNode {
    const single = new RegExp(`^(?:${source})$`, this.flags);
    const test = (codePoint: number) => single.test(String.fromCodePoint(codePoint));
    // Most text is ASCII: what is known of a character is looked up.
    const known = new Uint8Array(128);
    const accepts = (codePoint: number) => {
      if (codePoint >= known.length) return test(codePoint);
      if (known[codePoint] === 0) known[codePoint] = test(codePoint) ? 1 : 2;
      return known[codePoint] === 1;
    };
    return { kind: 'character', accepts };
  }

  private take(sign: string): boolean {
    const found = this.source.startsWith(sign, this.at);
    if (found) this.at += sign.length;
    return found;
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.source);
    if (match) this.at += match[0].length;
    return match;
  }
}
