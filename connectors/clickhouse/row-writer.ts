/**
 * Writes a batch so that rows which the store can never take are found, and all others stay.
 *
 * The batch under its own token comes first. What is cut from it has tokens made from that token and the place of the cut, and the cuts
 * depend on the rows alone: a batch that comes again is cut in the same way, so that nothing is stored twice.
 */
import {
  MachError,
  messageOf,
  RefusedRowsError,
  type RunningSink,
  type SinkContext,
  type SinkRow,
  type Store,
  type TableSpec,
} from '../../runtime/stream/index.ts';

export interface RowWriterOptions {
  readonly store: Store;
  readonly table: TableSpec;
  readonly count: SinkContext['count'];
}

type DeadRow = Awaited<ReturnType<RunningSink['write']>>[number];

const refusedCode = 'MACH3102';

export function createRowWriter({ store, table, count }: RowWriterOptions): RunningSink['write'] {
  const insert = (rows: readonly SinkRow[], token: string) =>
    store.insert(table, { events: rows.map((row) => row.event), origins: rows }, token);

  /** Null when stored, the refusal when the rows can never be stored; rejects with anything else. */
  async function tryInsert(rows: readonly SinkRow[], token: string): Promise<MachError | null> {
    try {
      await insert(rows, token);
      return null;
    } catch (error) {
      if (error instanceof MachError && error.code === refusedCode) return error;
      throw error;
    }
  }

  async function isolate(rows: readonly SinkRow[], token: string, refusal: MachError): Promise<DeadRow[]> {
    if (refusal instanceof RefusedRowsError) return withoutRefused(rows, token, refusal);
    const [only] = rows;
    if (rows.length === 1 && only) return [{ row: only, code: refusedCode, reason: messageOf(refusal) }];
    const middle = rows.length >> 1;
    const first = await writeRows(rows.slice(0, middle), `${token}/0`);
    const second = await writeRows(rows.slice(middle), `${token}/1`);
    return [...first, ...second];
  }

  async function withoutRefused(
    rows: readonly SinkRow[],
    token: string,
    refusal: RefusedRowsError,
  ): Promise<DeadRow[]> {
    const reasons = new Map(refusal.rows.map(({ index, reason }) => [index, reason]));
    const dead = rows.flatMap((row, index) => {
      const reason = reasons.get(index);
      return reason === undefined ? [] : [{ row, code: refusedCode, reason }];
    });
    const rest = rows.filter((_row, index) => !reasons.has(index));
    return [...dead, ...(await writeRows(rest, `${token}/rest`))];
  }

  async function writeRows(rows: readonly SinkRow[], token: string): Promise<DeadRow[]> {
    if (rows.length === 0) return [];
    const refusal = await tryInsert(rows, token);
    return refusal ? isolate(rows, token, refusal) : [];
  }

  return async (given, token) => {
    if (given.length === 0) return [];
    const rows = [...given];
    let refusal = await tryInsert(rows, token);
    if (refusal && !(refusal instanceof RefusedRowsError)) {
      // Perhaps it is the table, not the rows: a column that someone took away comes back, any other difference is not the rows' fault and rejects.
      await store.ensureTable(table);
      refusal = await tryInsert(rows, token);
    }
    if (!refusal) return [];
    const dead = await isolate(rows, token, refusal);
    count('rows_refused_total', dead.length, { table: table.name });
    return dead;
  };
}
