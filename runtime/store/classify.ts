/** What an error of the store means for the rows that were to be inserted. */
import { ClickHouseError } from '@clickhouse/client';
import { type MachError, MachError as MachErrorClass, messageOf } from '../errors.ts';
import { storeErrors } from './errors.ts';
import { storeLimits } from './limits.ts';

/**
 * Errors that the same rows will always meet (`src/Common/ErrorCodes.cpp`). Not among them: an unknown table (60) or database (81), which
 * someone may put back, and data that ends too early (33), which is a broken connection's doing.
 */
const refusingCodes: ReadonlySet<number> = new Set([
  6, // CANNOT_PARSE_TEXT
  10, // NOT_FOUND_COLUMN_IN_BLOCK
  15, // DUPLICATE_COLUMN
  16, // NO_SUCH_COLUMN_IN_TABLE
  20, // NUMBER_OF_COLUMNS_DOESNT_MATCH
  26, // CANNOT_PARSE_QUOTED_STRING
  27, // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  38, // CANNOT_PARSE_DATE
  41, // CANNOT_PARSE_DATETIME
  43, // ILLEGAL_TYPE_OF_ARGUMENT
  44, // ILLEGAL_COLUMN
  47, // UNKNOWN_IDENTIFIER
  50, // UNKNOWN_TYPE
  53, // TYPE_MISMATCH
  62, // SYNTAX_ERROR
  69, // ARGUMENT_OUT_OF_BOUND
  70, // CANNOT_CONVERT_TYPE
  72, // CANNOT_PARSE_NUMBER
  117, // INCORRECT_DATA
  130, // CANNOT_READ_ARRAY_FROM_TEXT
  131, // TOO_LARGE_STRING_SIZE
  190, // SIZES_OF_ARRAYS_DONT_MATCH
  307, // TOO_MANY_BYTES: halves may fit
  321, // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
  349, // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
  407, // DECIMAL_OVERFLOW
  467, // CANNOT_PARSE_BOOL
  469, // VIOLATED_CONSTRAINT
  632, // UNEXPECTED_DATA_AFTER_PARSED_VALUE
]);

/** What ClickHouse quotes of the row that a constraint refuses: it may be about a person, and reasons are shown to everybody. */
const quotedRow = / *Column values: .*$/;

/**
 * A view of the table failed, and the table itself may have the rows: so they are refused by nobody. What the error says before this quotes their
 * values.
 */
const ofView = /while pushing to view ([^\s:]+?)\.?(?=[\s:]|$)/;

/** The error's text with its ClickHouse code, without the values of rows, cut to a bound. */
export function reasonOf(error: unknown): string {
  const code = error instanceof ClickHouseError ? `code ${error.code}: ` : '';
  const text = `${code}${messageOf(error)}`.replace(/\s+/g, ' ').replace(quotedRow, '').trim();
  return text.length > storeLimits.reasonLengthMax ? `${text.slice(0, storeLimits.reasonLengthMax)}...` : text;
}

/** NOT_ENOUGH_SPACE: nothing was written. */
const noRoomCode = 243;

/** MACH3102 when the rows can never be stored, MACH3110 when the disk is full, MACH3113 when a view of the table fails, MACH3103 for everything whose outcome is unknown or may be better later. */
export function classifyInsertError(table: string, error: unknown): MachError {
  if (error instanceof MachErrorClass) return error;
  if (error instanceof ClickHouseError && Number(error.code) === noRoomCode) {
    return storeErrors.make('MACH3110', { reason: `insert into ${table}: ${reasonOf(error)}` }, error);
  }
  const view = error instanceof ClickHouseError ? ofView.exec(error.message)?.[1] : undefined;
  if (view !== undefined) {
    const { code, type } = error as ClickHouseError;
    return storeErrors.make('MACH3113', { table, view, reason: `code ${code} ${type ?? ''}`.trim() }, error);
  }
  const refused = error instanceof ClickHouseError && refusingCodes.has(Number(error.code));
  return storeErrors.make(refused ? 'MACH3102' : 'MACH3103', { table, reason: reasonOf(error) }, error);
}

/** MACH3107 for what the store says about a query, MACH3109 when it says nothing. */
export function classifyQueryError(error: unknown): MachError {
  if (error instanceof MachErrorClass) return error;
  if (error instanceof ClickHouseError) return storeErrors.make('MACH3107', { reason: reasonOf(error) }, error);
  return storeErrors.make('MACH3109', { reason: reasonOf(error), timeoutMs: storeLimits.requestTimeoutMs }, error);
}
