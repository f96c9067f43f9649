/** Errors of the store: 31xx. */
import { defineErrors, MachError } from '../errors.ts';

export const storeErrors = defineErrors({
  MACH3101: {
    message: 'table {table} has column {column} of type {actual}, but the topology writes {wanted}',
    help: 'The table was made by another topology, or a field changed its type. Write to a new table, or change the column by hand with ALTER TABLE after a look at what reads it. Nothing was changed.',
  },
  MACH3102: {
    message: 'table {table} refuses the rows: {reason}',
    help: 'The store can never take these rows as they are: a value does not fit its column, or the column is gone. The sink splits the batch until the rows at fault stand alone, and makes them dead letters.',
  },
  MACH3103: {
    message: 'insert into {table}: outcome unknown or store away: {reason}',
    help: 'The store could not be reached, was too busy, or the connection broke before its answer. The engine tries again with the same token, so that rows which did arrive are not stored twice. Check that the store runs and has memory and disk.',
    isAway: true,
  },
  MACH3104: {
    message: 'table {table} cannot be made: {reason}',
    help: 'The table asked for is not one that ClickHouse can have: a name with characters other than letters, digits and underscores, a sorting key or time that is not a field of the right type, or a table of that name with another engine or sorting key.',
  },
  MACH3105: {
    message: 'the embedded store in {directory} did not start: {reason}',
    help: 'The child process that holds the embedded ClickHouse ended or did not answer in time; what it wrote last is in the message. Look for a full disk, a folder without write permission, too little memory, or a chdb package that does not fit this platform.',
  },
  MACH3106: {
    message: 'the embedded store in {directory} is held by another process that does not answer: {reason}',
    help: 'One process at a time can hold a data folder. End the process named in the message (it may be stopped or hung), or use another folder.',
  },
  MACH3107: {
    message: 'query failed: {reason}',
    help: 'The store answered a query with an error. The text after the code is from ClickHouse.',
  },
  MACH3108: {
    message: 'CLICKHOUSE_URL is not usable: {reason}',
    help: 'Write it as http://user:password@host:8123/database or https://...; user, password and database may be left out. Without the variable the embedded store is used.',
  },
  MACH3109: {
    message: 'the store did not answer: {reason}',
    help: 'A query or check could not reach the store in time, or the connection broke. Check address and network, and that the store runs.',
    isAway: true,
  },
  MACH3110: {
    message: 'the disk of the store is full: {reason}',
    help: 'The store takes no rows while less room is free on its disk than the reserve (limits.diskReserveBytes, or a twentieth of a smaller disk; MACH_DISK_RESERVE_MIB sets it). Sinks wait and go on by themselves when there is room; nothing is lost, the rows are in the log. Free room on the disk.',
    isAway: true,
  },
  MACH3111: {
    message: 'the embedded store ends at once, because part {part} is not whole on the disk: {reason}',
    help: 'The disk did not take what was written: it is full, or failing. The insert was not answered and comes again; a merge is undone from the parts that it was made from. The store starts again by itself and says what it put right. If the disk has room, look at its health.',
  },
  MACH3112: {
    message:
      'table {table} of the embedded store has lost rows: a part was damaged, and {blocks} inserts that it held are nowhere else',
    help: 'Files of a part were damaged after it was written, by the disk or by hand, so that the parts it was made from are gone already. The part is in the folder `detached` of the table. The events are in the log as long as it is kept: `mach replay` writes the rows again.',
  },
  MACH3113: {
    message: 'table {table} takes rows that its materialized view {view} cannot take: {reason}',
    help: 'A materialized view that someone made on the table fails on the rows, by its query or by the table that it writes to. The table itself may have them already, so they are no dead letters: the sink waits, and sends the same batch with its token until the view takes it, which then has it once. Correct the view, or drop it. The code is of ClickHouse; what it says beyond that quotes the rows, and stands in the log of the store.',
  },
});

export interface RefusedRow {
  /** Position in the rows given to `insert`. */
  readonly index: number;
  readonly reason: string;
}

/** MACH3102 that knows which rows are at fault. The rows were checked before anything was sent, so nothing of the batch is stored. */
export class RefusedRowsError extends MachError {
  readonly rows: readonly RefusedRow[];

  constructor(table: string, rows: readonly RefusedRow[]) {
    const first = rows[0];
    const reason = `row ${first?.index}: ${first?.reason}${rows.length > 1 ? ` (and ${rows.length - 1} more)` : ''}`;
    super('MACH3102', storeErrors.make('MACH3102', { table, reason }).message, { table, reason, rows: rows.length });
    this.rows = rows;
  }
}
