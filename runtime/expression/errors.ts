import { defineErrors } from '../errors.ts';

/**
 * What can be wrong with an expression of a topology file. The messages here are the headings of `mach help`; a problem says
 * in its own message what it is about.
 */
export const expressionErrors = defineErrors({
  MACH1203: {
    message: '"{name}" is not a field of {owner}',
    help:
      'An expression may read the fields of the events that reach its operator, by name alone (`minutes`) or as `event.minutes`. ' +
      'Check the spelling, and with `mach explain` which fields arrive there: an operator before may have left the field out or renamed it.',
  },
  MACH1210: {
    message: 'the expression cannot be read: {reason}',
    help:
      'Expressions are CEL: `a == b`, `a && b`, `a || b`, `!a`, `a in ["x", "y"]`, `condition ? a : b`, text in quotes. ' +
      'In YAML, put an expression that holds `: ` or ` #` or begins with `!`, `[`, `{`, `"` in single quotes as a whole.',
  },
  MACH1211: {
    message: 'the types do not fit: {reason}',
    help:
      'Numbers go with numbers, text with text, timestamps with timestamps, durations with durations. Literals of the last two are written ' +
      '`timestamp("2026-03-02T07:00:00+07:00")` and `duration("5m")`; `string(x)`, `int(x)`, `float(x)` convert.',
  },
  MACH1212: {
    message: '"{name}" is not a function',
    help: 'All functions, with their arguments, are in runtime/expression/DIALECT.md.',
  },
  MACH1213: {
    message: 'the expression is too large: {reason}',
    help:
      'Expressions are bounded, so that a check and an evaluation never take long. Compute parts of it in a `map` operator before, ' +
      'under a name of their own; that also makes them visible to `mach tap`.',
  },
  MACH1214: {
    message: 'the pattern of matches() cannot be used: {reason}',
    help:
      'Patterns run in time linear in the text, whatever it is. So there are no back references (`\\1`), no look-ahead and no look-behind, ' +
      'and repetition counts are bounded. Everything else is as in JavaScript with the flag `u`; `(?i)` at the start ignores case.',
  },
  MACH1215: {
    message: 'the value can never occur: {reason}',
    help:
      'The field takes one of the values that its schema lists, and the expression compares it with another one. ' +
      'If the value is right, add it to the list in the schema of the source.',
  },
  MACH1216: {
    message: 'the arguments of {name} do not fit: {reason}',
    help: 'All functions, with their arguments, are in runtime/expression/DIALECT.md.',
  },
  MACH1217: {
    message: 'the expression is not an aggregate: {reason}',
    help:
      'A value of `aggregate` is one call over the events of a window, such as `count()`, `max(minutes)` or `quantile(minutes, 0.9)`. ' +
      'What goes into the call may be any expression; arithmetic on what comes out belongs in a `map` after it.',
  },
});

export type ExpressionErrorCode = keyof typeof expressionErrors.list;

/** One thing that is wrong with an expression, and where in its text. */
export interface Problem {
  readonly code: ExpressionErrorCode;
  /** Place in the source text of the expression, in UTF-16 units, always inside it. */
  readonly offset: number;
  readonly length: number;
  readonly message: string;
  /** What was probably meant, as text that can stand at the place. */
  readonly suggestion?: string;
  /** Of a name that is not known and like none that is: those that could stand at the place. */
  readonly known?: readonly string[];
}
