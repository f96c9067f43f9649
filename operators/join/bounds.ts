/** How many keys, and rows of one key, wait on the two sides of a join: exact where a bound is near, and cheap elsewhere. */
import type { RowTable, StateKey } from '../../runtime/stream/index.ts';

/** Rows of one side whose keys have not been counted: the newest. */
class Uncounted {
  readonly rows: RowTable<unknown>;
  /** Rows that had come when they were counted. */
  private counted = 0;

  constructor(rows: RowTable<unknown>) {
    this.rows = rows;
  }

  get from(): number {
    const { departed, next, size } = this.rows;
    return next - Math.min(size, departed + size - this.counted);
  }

  close(): void {
    this.counted = this.rows.departed + this.rows.size;
  }

  reopen(): void {
    this.counted = 0;
  }
}

export class Bounds {
  private readonly lefts: Uncounted;
  private readonly rights: Uncounted;
  /** Keys that were counted, those too whose rows have left since. */
  private keys = 0;
  /** Rows that had left when all were counted. */
  private departedUntilKeys = 0;
  /** Of keys that are near the bound, while no row leaves. */
  private readonly rowsOfKeys = new Map<StateKey, number>();
  private departedUntilRows = 0;

  constructor(lefts: RowTable<unknown>, rights: RowTable<unknown>) {
    this.lefts = new Uncounted(lefts);
    this.rights = new Uncounted(rights);
  }

  /** Rows of both sides. */
  get rows(): number {
    return this.lefts.rows.size + this.rights.rows.size;
  }

  private get departed(): number {
    return this.lefts.rows.departed + this.rights.rows.departed;
  }

  /** Keys that wait; one that both sides have counts once. Until half of all rows have left since the last count, keys that left with them count still. */
  keysAtMost(): number {
    const departed = this.departed - this.departedUntilKeys;
    return departed > 0 && departed * 2 >= this.rows ? this.countKeys() : this.countNewKeys();
  }

  /** Whether another key can come. */
  hasPlace(keysMax: number): boolean {
    if (this.countNewKeys() < keysMax) return true;
    return this.departed > this.departedUntilKeys && this.countKeys() < keysMax;
  }

  /** Whether another row of the key can come; it is counted then. */
  takesRow(key: StateKey, hash: number, rowsMax: number): boolean {
    const lefts = this.lefts.rows;
    const rights = this.rights.rows;
    if (lefts.crowdOf(hash) + rights.crowdOf(hash) < rowsMax) return true;
    if (this.departed > this.departedUntilRows) this.rowsOfKeys.clear();
    this.departedUntilRows = this.departed;
    const rows = this.rowsOfKeys.get(key) ?? lefts.find(key, hash) + rights.find(key, hash);
    this.rowsOfKeys.set(key, Math.min(rows + 1, rowsMax));
    return rows < rowsMax;
  }

  private countKeys(): number {
    this.keys = 0;
    this.lefts.reopen();
    this.rights.reopen();
    this.departedUntilKeys = this.departed;
    return this.countNewKeys();
  }

  private countNewKeys(): number {
    const lefts = this.lefts.rows;
    const rights = this.rights.rows;
    const rightsFrom = this.rights.from;
    for (let row = this.lefts.from; row < lefts.next; row++)
      if (lefts.older(row) < 0 && !hasBefore(rightsFrom, rights, lefts.keyOf(row), lefts.hashOf(row))) this.keys++;
    for (let row = rightsFrom; row < rights.next; row++)
      if (rights.older(row) < 0 && lefts.newest(rights.keyOf(row), rights.hashOf(row)) < 0) this.keys++;
    this.lefts.close();
    this.rights.close();
    return this.keys;
  }
}

/** Whether rows have one of the key before this one. */
function hasBefore(limit: number, rows: RowTable<unknown>, key: StateKey, hash: number): boolean {
  if (limit === rows.first) return false;
  for (let row = rows.newest(key, hash); row >= 0; row = rows.older(row)) if (row < limit) return true;
  return false;
}
