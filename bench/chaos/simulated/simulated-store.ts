/**
 * The store in virtual time: tables that keep an insert once for each token, as ClickHouse does with a deduplication window, and
 * that can be down, refuse, or lose their answers. It outlives the processes that write to it.
 */
import type { Clock } from '../../../runtime/clock.ts';
import { limits } from '../../../runtime/limits.ts';
import type { Random } from '../../../runtime/random.ts';
import { type RefusedRow, RefusedRowsError, storeErrors } from '../../../runtime/store/errors.ts';
import type { RowOrigin, Store } from '../../../runtime/store/store.ts';
import type { Event } from '../../../runtime/stream/schema.ts';

/** No column can take this value of the field `value`. */
export const valueRefusedByStore = 666;

export type StoreFault = 'store-refuses' | 'store-times-out' | 'store-down';

export interface StoredRow extends RowOrigin {
  readonly event: Event;
}

interface Table {
  readonly rows: StoredRow[];
  /** Newest last; the text says which rows the token came with. */
  readonly tokens: Map<string, string>;
}

export interface SimulatedStore {
  readonly store: Store;
  rows(table: string): readonly StoredRow[];
  begin(fault: StoreFault, rate: number, random: Random): () => void;
  /** No more faults. */
  stop(): void;
  readonly counts: ReadonlyMap<StoreFault, number>;
  /** Inserts that came again and were kept once. */
  readonly deduplicated: number;
  /** Tokens that came with other rows than before: what the store would have lost without a word. */
  readonly misused: readonly string[];
}

const latencyMaxMs = 40;
const answerTimeoutMs = 10_000;

export function simulatedStore(clock: Clock, random: Random): SimulatedStore {
  const tables = new Map<string, Table>();
  const faults = new Set<{ fault: StoreFault; rate: number; random: Random }>();
  const counts = new Map<StoreFault, number>();
  const misused: string[] = [];
  let deduplicated = 0;

  const tableOf = (name: string): Table => {
    const table = tables.get(name) ?? { rows: [], tokens: new Map() };
    tables.set(name, table);
    return table;
  };

  function faultOfInsert(): StoreFault | undefined {
    for (const { fault, rate, random: draws } of faults) {
      if (!draws.chance(rate)) continue;
      counts.set(fault, (counts.get(fault) ?? 0) + 1);
      return fault;
    }
    return undefined;
  }

  function keep(name: string, rows: readonly StoredRow[], token: string): void {
    const table = tableOf(name);
    const content = JSON.stringify(rows);
    const known = table.tokens.get(token);
    if (known !== undefined) {
      deduplicated++;
      if (known !== content) misused.push(token);
      return;
    }
    table.tokens.set(token, content);
    if (table.tokens.size > limits.insertDeduplicationWindow) {
      const oldest = table.tokens.keys().next();
      if (!oldest.done) table.tokens.delete(oldest.value);
    }
    table.rows.push(...rows);
  }

  const away = (table: string, reason: string) => storeErrors.make('MACH3103', { table, reason });
  const unused = (what: string) => async (): Promise<never> => {
    throw new Error(`the simulated store has no ${what}`);
  };

  const store: Store = {
    url: 'memory:',
    async ensureTable({ name }) {
      await clock.sleep(random.int(0, latencyMaxMs));
      if (faultOfInsert() === 'store-down') throw away(name, 'the store is down (simulated)');
      tableOf(name);
    },
    async insert({ name }, { events, origins }, token) {
      // Drawn before the fault, so that the same inserts take the same time with and without one.
      const latencyMs = random.int(0, latencyMaxMs);
      const fault = faultOfInsert();
      if (fault === 'store-down') {
        await clock.sleep(latencyMs);
        throw away(name, 'the store is down (simulated)');
      }
      const refused: RefusedRow[] = events.flatMap(({ value }, index) =>
        value === valueRefusedByStore ? [{ index, reason: `value ${valueRefusedByStore} does not fit` }] : [],
      );
      if (refused.length > 0) throw new RefusedRowsError(name, refused);
      await clock.sleep(latencyMs);
      if (fault === 'store-refuses') throw away(name, 'too many parts (simulated)');
      const rows = events.map((event, index): StoredRow => {
        const { stage, partition, sequence, index: place } = origins[index] as RowOrigin;
        return { event: { ...event }, stage, partition, sequence, index: place };
      });
      // Here it is stored, whether or not the one who asked is still alive.
      keep(name, rows, token);
      if (fault !== 'store-times-out') return;
      await clock.sleep(answerTimeoutMs);
      throw away(name, 'no answer in time (simulated)');
    },
    read: unused('read'),
    query: unused('queries'),
    command: unused('commands'),
    check: async () => ({ version: 'simulated' }),
    close: async () => {},
  };

  return {
    store,
    rows: (table) => tables.get(table)?.rows ?? [],
    begin(fault, rate, draws) {
      const one = { fault, rate, random: draws };
      faults.add(one);
      return () => void faults.delete(one);
    },
    stop: () => faults.clear(),
    counts,
    get deduplicated() {
      return deduplicated;
    },
    misused,
  };
}
