/** How far the origins of a source are together, ten of them or a hundred thousand: one that moves is compared with a few others alone. */
import { ScoreTree } from './score-tree.ts';

export interface OriginTime {
  readonly watermark: number;
  /** It is silent. */
  readonly idle: boolean;
}

/** Origins go by numbers, which are given again when one leaves. */
export class OriginTimes {
  private readonly active = new ScoreTree({ ascending: true });
  private readonly idle = new ScoreTree({ ascending: false });
  private readonly free: number[] = [];
  private numbers = 0;

  enter(): number {
    return this.free.pop() ?? this.numbers++;
  }

  set(number: number, { watermark, idle }: OriginTime): void {
    this.active.set(number, idle ? null : watermark);
    this.idle.set(number, idle ? watermark : null);
  }

  leave(number: number): void {
    this.active.set(number, null);
    this.idle.set(number, null);
    this.free.push(number);
  }

  clear(): void {
    this.active.clear();
    this.idle.clear();
    this.free.length = 0;
    this.numbers = 0;
  }

  /** By the rule of `combineProgress`, of one origin at least. */
  combined(): { time: number; idle: boolean } {
    const slowest = this.active.first();
    if (slowest !== null) return { time: slowest, idle: false };
    return { time: this.idle.first() ?? Number.NEGATIVE_INFINITY, idle: true };
  }
}
