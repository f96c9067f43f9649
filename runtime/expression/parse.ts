/** Reads the text of an expression: cel-js's grammar, our bounds, and messages for people who do not know its tokens. */
import { type ASTNode, Environment, ParseError } from '@marcbachmann/cel-js';
import { messageOf } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Problem } from './errors.ts';
import { makeProblem, type Place } from './expression.ts';

export type Syntax = ASTNode;

const environment = new Environment({
  unlistedVariablesAreDyn: true,
  limits: {
    maxAstNodes: limits.expressionLengthMax,
    maxDepth: limits.expressionDepthMax,
    maxListElements: limits.expressionListItemsMax,
    maxMapEntries: limits.expressionListItemsMax,
    maxCallArguments: limits.expressionListItemsMax,
  },
});

export type ParseResult =
  | { readonly ok: true; readonly syntax: Syntax }
  | { readonly ok: false; readonly problem: Problem };

export function parse(source: string): ParseResult {
  const whole = { start: 0, end: source.length };
  const tooLarge = (reason: string): ParseResult => {
    const message = `the expression is too large: ${reason}`;
    return { ok: false, problem: makeProblem(source, whole, { code: 'MACH1213', message }) };
  };
  if (source.length > limits.expressionLengthMax) {
    return tooLarge(`${source.length} characters, at most ${limits.expressionLengthMax} (expressionLengthMax)`);
  }
  const tooDeep = () => tooLarge(`nested deeper than ${limits.expressionDepthMax} levels (expressionDepthMax)`);
  try {
    const syntax = environment.parse(source).ast;
    return isDeeper(syntax, limits.expressionDepthMax) ? tooDeep() : { ok: true, syntax };
  } catch (error) {
    // A long run of `!` or `-` recurses in the parser without being counted there.
    if (error instanceof RangeError) return tooDeep();
    if (!(error instanceof ParseError)) {
      return { ok: false, problem: makeProblem(source, whole, unreadable(messageOf(error))) };
    }
    if (error.code === 'limit_exceeded') {
      if (error.summary.includes('maxDepth')) return tooDeep();
      return tooLarge(`more than ${limits.expressionListItemsMax} items in one list (expressionListItemsMax)`);
    }
    return { ok: false, problem: explain(source, error, whole) };
  }
}

function unreadable(reason: string, suggestion?: string) {
  return { code: 'MACH1210' as const, message: `the expression cannot be read: ${reason}`, suggestion };
}

const symbols: Readonly<Record<string, string>> = {
  EOF: 'the end of the expression',
  NUMBER: 'a number',
  STRING: 'a text',
  BOOLEAN: 'true or false',
  NULL: 'null',
  IDENTIFIER: 'a name',
  PLUS: '"+"',
  MINUS: '"-"',
  MULTIPLY: '"*"',
  DIVIDE: '"/"',
  MODULO: '"%"',
  EQ: '"=="',
  NE: '"!="',
  LT: '"<"',
  LE: '"<="',
  GT: '">"',
  GE: '">="',
  AND: '"&&"',
  OR: '"||"',
  NOT: '"!"',
  IN: '"in"',
  LPAREN: '"("',
  RPAREN: '")"',
  LBRACKET: '"["',
  RBRACKET: '"]"',
  LBRACE: '"{"',
  RBRACE: '"}"',
  DOT: '"."',
  COMMA: '","',
  COLON: '":"',
  QUESTION: '"?"',
  BYTES: 'bytes',
};

/** Words and signs of other languages that people write. */
const meant: Readonly<Record<string, string>> = {
  and: '&&',
  or: '||',
  not: '!',
  AND: '&&',
  OR: '||',
  NOT: '!',
  '=': '==',
  '=>': '>=',
  '=<': '<=',
  '&': '&&',
  '|': '||',
};

function explain(source: string, error: ParseError, whole: Place): Problem {
  if (source.trim() === '') return makeProblem(source, whole, unreadable('it is empty'));
  const place = error.range ?? whole;
  const [word = ''] = /^(?:\w+|=[<>]|\W)/.exec(source.slice(place.start)) ?? [];
  if (Object.hasOwn(meant, word)) {
    return makeProblem(
      source,
      { start: place.start, end: place.start + word.length },
      unreadable(`"${word}" is not an operator`, meant[word]),
    );
  }
  // Of `not a` the parser has taken `not` for a name, and complains about what follows.
  const before = /(\w+)\s*$/.exec(source.slice(0, place.start));
  if (before?.[1] !== undefined && Object.hasOwn(meant, before[1])) {
    const at = { start: before.index, end: before.index + before[1].length };
    return makeProblem(source, at, unreadable(`"${before[1]}" is not an operator`, meant[before[1]]));
  }
  if (error.code === 'unexpected_character') {
    return makeProblem(
      source,
      place,
      unreadable(`${word.trim() === '' ? 'the end' : `"${word}"`} is not expected here`),
    );
  }
  const text = error.summary.replace(/\b[A-Z]{2,}\b/g, (token) => symbols[token] ?? token);
  return makeProblem(source, place, unreadable(text.charAt(0).toLowerCase() + text.slice(1)));
}

/** Parts of a syntax node, left to right. */
export function partsOf(syntax: Syntax): readonly Syntax[] {
  switch (syntax.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [syntax.args[0]];
    case 'call':
      return syntax.args[1];
    case 'rcall':
      return [syntax.args[1], ...syntax.args[2]];
    case 'map':
      return syntax.args.flat();
    case '!_':
    case '-_':
      return [syntax.args];
    default:
      return syntax.args;
  }
}

/** The operands of a chain of one logical operator, which counts as one level: `a && b && c`. */
export function chainOf(syntax: Syntax): readonly Syntax[] {
  const operands: Syntax[] = [];
  let rest = syntax;
  while (rest.op === syntax.op) {
    const [left, right] = rest.args as [Syntax, Syntax];
    operands.push(right);
    rest = left;
  }
  operands.push(rest);
  return operands.reverse();
}

/** Without recursion: the tree may be as deep as the text is long. */
function isDeeper(syntax: Syntax, depthMax: number): boolean {
  const stack: [Syntax, number][] = [[syntax, 1]];
  for (let entry = stack.pop(); entry; entry = stack.pop()) {
    const [node, depth] = entry;
    if (depth > depthMax) return true;
    const parts = node.op === '&&' || node.op === '||' ? chainOf(node) : partsOf(node);
    for (const part of parts) stack.push([part, depth + 1]);
  }
  return false;
}
