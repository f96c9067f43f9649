/** What the panes of one window hold together, by the number of the key; where only the best keys come out, they are found in a tree of the scores. */
import { ScoreTree } from '../../runtime/stream/index.ts';
import { type CellStore, cellStoreOf } from './cell-store.ts';
import type { PaneCells } from './pane-cells.ts';
import type { AggregateSetting } from './setting.ts';

export interface BestRule {
  /** Slot of the value by which keys are compared. */
  readonly slot: number;
  readonly rows: number;
  readonly ascending: boolean;
}

export class WindowTotals {
  readonly cells: CellStore;
  /** How many of the panes hold something of a key. */
  private readonly holding: number[] = [];
  private readonly rule: BestRule | undefined;
  private readonly scores: ScoreTree | undefined;
  private isRounded = false;

  constructor({ kind, numberCells }: AggregateSetting, rule: BestRule | undefined) {
    this.cells = cellStoreOf(kind, numberCells);
    this.rule = rule;
    this.scores = rule && new ScoreTree(rule);
  }

  clear(): void {
    this.holding.fill(0);
    this.scores?.clear();
    this.isRounded = false;
  }

  /**
   * Adds up anew the panes of the window, in their order, where a sum since the last time was too large to be exact: so it hangs on what they hold
   * alone, and not on what has left them or on when the process started.
   */
  settle(panes: Iterable<PaneCells>): void {
    if (!this.isRounded) return;
    this.clear();
    for (const pane of panes) this.changeAll(pane, 1);
  }

  has(number: number): boolean {
    return (this.holding[number] ?? 0) > 0;
  }

  /** The numbers of the best keys, score by score, until there are enough of them; undefined where all come out. */
  best(): number[][] | undefined {
    return this.rule && this.scores?.best(this.rule.rows);
  }

  /** Puts all that a pane holds into the window, or takes it out. */
  changeAll(pane: PaneCells, sign: 1 | -1): void {
    const { size } = pane;
    for (let at = 0; at < size; at++) this.change(pane, at, sign);
  }

  /** The same for what a pane holds of its n-th key. */
  change(pane: PaneCells, at: number, sign: 1 | -1): void {
    const { cells, holding, scores, rule } = this;
    const number = pane.numberAt(at);
    const total = number * cells.width;
    const before = holding[number] ?? 0;
    holding[number] = before + sign;
    if (before === 0) cells.begin(total);
    else if (before + sign === 0) {
      scores?.set(number, null);
      return;
    }
    if (!cells.change(total, pane.cells, pane.placeAt(at), sign)) this.isRounded = true;
    if (rule) scores?.set(number, cells.numberAt(total, rule.slot));
  }
}
