/**
 * Coded errors: what an operator of the engine can meet and must be able to look up.
 *
 * Each area keeps its own list made with `defineErrors` (`runtime/topology/errors.ts`, `connectors/hl7-mllp/errors.ts`,
 * ...). `mach help CODE` and the page of errors are made from the lists. Codes are never reused.
 *
 * | range | area                        | range | area        |
 * | ----- | --------------------------- | ----- | ----------- |
 * | 10xx  | topology file: form         | 20xx  | hl7-mllp    |
 * | 11xx  | topology: names and wiring  | 21xx  | feed-115    |
 * | 12xx  | topology: types, expressions| 22xx  | file-drop   |
 * | 13xx  | privacy                     | 23xx  | nats        |
 * | 14xx  | references and secrets      | 24xx  | webhook     |
 * | 15xx  | topology tests              | 30xx  | log         |
 * | 16xx  | command line                | 31xx  | store       |
 * | 17xx  | simulator                   | 32xx  | execution   |
 * | 18xx  | operators                   | 33xx  | boards      |
 * | 26xx  | alert-actions               | 27xx  | file        |
 * | 28xx  | grafana                     |       |             |
 */

export interface ErrorDescription {
  /** One line; `{name}` stands for a value given when the error is made. */
  readonly message: string;
  /** What it means and what to do about it, for `mach help CODE`. */
  readonly help: string;
  /** Somebody else is not there now, so that the same may succeed later without any change here. */
  readonly isAway?: true;
}

export type ErrorList = Readonly<Record<`MACH${number}`, ErrorDescription>>;

export type ErrorData = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** An error with a code that is documented. Programming mistakes are plain `Error`s (see `assert`). */
export class MachError extends Error {
  readonly code: string;
  readonly data: ErrorData;
  /** See `ErrorDescription.isAway`. */
  readonly isAway: boolean;

  constructor(code: string, message: string, data: ErrorData = {}, cause?: unknown, isAway = false) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'MachError';
    this.isAway = isAway;
    this.code = code;
    this.data = data;
  }
}

export function fillMessage(template: string, data: ErrorData): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => (name in data ? String(data[name]) : whole));
}

/** The message of a code as such, without values: `no row of <result> is in the log`. */
export function describeMessage(template: string): string {
  // What follows a word without a space is added only at times.
  return template
    .replace(/(?<=[\w}])\{\w+\}/g, '')
    .replace(/\{(\w+)\}/g, (_, name: string) => `<${name.replace(/_|(?=[A-Z])/g, ' ').toLowerCase()}>`);
}

/** Freezes a list of errors and gives the function that makes them: `errors.make('MACH2003', { bytes: 12 })`. */
export function defineErrors<const L extends ErrorList>(list: L) {
  return Object.freeze({
    list: Object.freeze(list),
    make(code: keyof L & string, data: ErrorData = {}, cause?: unknown): MachError {
      const description = list[code as keyof ErrorList];
      const message = fillMessage(description?.message ?? code, data);
      return new MachError(code, message, data, cause, description?.isAway);
    },
  });
}

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An invariant of the program. Stays on in production: going on after a broken invariant is worse than stopping. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}
