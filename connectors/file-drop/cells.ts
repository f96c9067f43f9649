/** Reads one cell as a type. A cell that cannot be read is refused with a reason; nothing is guessed. */
import { parseDuration } from '../../runtime/stream/index.ts';
import { makeTimeParser } from './times.ts';

/** A class, so that no value of a cell can be taken for one. */
export class Refused {
  /** The cell, as it is shown. */
  readonly cell: string;
  /** What is wrong with it. */
  readonly problem: string;

  constructor(cell: string, problem: string) {
    this.cell = cell;
    this.problem = problem;
  }
}

export interface CellSpec {
  readonly type: 'string' | 'bool' | 'int' | 'float' | 'timestamp' | 'duration' | 'json';
  readonly values?: readonly string[] | undefined;
  readonly format?: string | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly zone: string;
}

const refuse = (cell: string, problem: string): Refused => new Refused(cell, problem);

/** The start of a cell, as shown in a reason. */
export function shown(cell: unknown): string {
  const text = typeof cell === 'string' ? cell : (JSON.stringify(cell) ?? String(cell));
  return `"${text.length > 40 ? `${text.slice(0, 40)}…` : text}"`;
}

function parseString(spec: CellSpec) {
  const allowed = spec.values && new Set(spec.values);
  return (cell: unknown) => {
    if (typeof cell === 'object') return refuse(shown(cell), 'is not a text');
    const text = String(cell);
    if (allowed && !allowed.has(text)) return refuse(shown(text), `is not one of ${spec.values?.join(', ')}`);
    return text;
  };
}

const yes = new Set(['true', '1', 'yes', 'có']);
const no = new Set(['false', '0', 'no', 'không']);

function parseBool(cell: unknown) {
  if (typeof cell === 'boolean') return cell;
  const text = String(cell).trim().toLowerCase().normalize('NFC');
  if (yes.has(text)) return true;
  if (no.has(text)) return false;
  return refuse(shown(cell), 'is not true or false (true, false, 1, 0, yes, no, có, không)');
}

const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

function readNumber(cell: unknown): number | Refused {
  if (typeof cell === 'number') return Number.isFinite(cell) ? cell : refuse(String(cell), 'is not a number');
  if (typeof cell !== 'string') return refuse(shown(cell), 'is not a number');
  const text = cell.trim();
  if (numberPattern.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : refuse(shown(text), 'is too large');
  }
  if (/^[+-]?[\d.]+,\d+$/.test(text) || /^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$/.test(text)) {
    return refuse(shown(text), 'has a comma: write a decimal point (12.5) and no thousands separator');
  }
  return refuse(shown(text), 'is not a number');
}

/** Undefined: it lies within. */
export function boundsProblem(
  value: number,
  { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY }: Pick<CellSpec, 'minimum' | 'maximum'>,
): string | undefined {
  if (value < minimum) return `is less than ${minimum}`;
  return value > maximum ? `is more than ${maximum}` : undefined;
}

function parseNumber(spec: CellSpec) {
  return (cell: unknown) => {
    const value = readNumber(cell);
    if (typeof value !== 'number') return value;
    if (spec.type === 'int' && !Number.isInteger(value)) return refuse(shown(cell), 'is not a whole number');
    if (spec.type === 'int' && !Number.isSafeInteger(value))
      return refuse(shown(cell), 'is too large for a whole number');
    const problem = boundsProblem(value, spec);
    return problem === undefined ? value : refuse(String(value), problem);
  };
}

function parseDurationCell(cell: unknown) {
  if (typeof cell === 'number') {
    return Number.isFinite(cell) ? cell : refuse(String(cell), 'is not a duration');
  }
  const text = String(cell).trim();
  const value = parseDuration(text);
  return value ?? refuse(shown(text), 'is not a duration, such as 90s or 1h30m');
}

function parseJson(cell: unknown) {
  if (typeof cell !== 'string') return cell;
  try {
    return JSON.parse(cell);
  } catch {
    return refuse(shown(cell), 'is not JSON');
  }
}

/** Throws an `Error` when the specification itself makes no sense; `name` is the field, for the message. */
export function makeCellParser(spec: CellSpec, name: string): (cell: unknown) => unknown {
  switch (spec.type) {
    case 'string':
      return parseString(spec);
    case 'bool':
      return parseBool;
    case 'int':
    case 'float':
      return parseNumber(spec);
    case 'duration':
      return parseDurationCell;
    case 'json':
      return parseJson;
    case 'timestamp': {
      const parse = makeTimeParser({ format: spec.format ?? 'iso', zone: spec.zone }, name);
      return (cell) => {
        const time = parse(cell);
        return time ?? refuse(shown(cell), `is not a time (format ${spec.format ?? 'iso'})`);
      };
    }
  }
}
