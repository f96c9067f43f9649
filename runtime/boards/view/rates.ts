/** What a node does now, from two looks at its counts. */

export interface Counts {
  readonly in: number;
  readonly out: number;
  readonly late: number;
  readonly dropped: number;
  readonly dead: number;
  readonly busyMs: number;
  readonly backpressuredMs: number;
}

export interface Rates {
  /** Events a second. */
  readonly in: number;
  readonly out: number;
  /** Share of the time, 0 to 1. */
  readonly busy: number;
  readonly backpressured: number;
}

const none: Rates = { in: 0, out: 0, busy: 0, backpressured: 0 };

/** Counts that went back are those of a new process: nothing is known of the time between. */
export function ratesOf(before: Counts | undefined, now: Counts, elapsedMs: number): Rates {
  if (!before || elapsedMs <= 0 || now.in < before.in || now.busyMs < before.busyMs) return none;
  const perSecond = (one: number, other: number) => Math.max(0, ((other - one) / elapsedMs) * 1_000);
  const share = (one: number, other: number) => Math.max(0, Math.min(1, (other - one) / elapsedMs));
  return {
    in: perSecond(before.in, now.in),
    out: perSecond(before.out, now.out),
    busy: share(before.busyMs, now.busyMs),
    backpressured: share(before.backpressuredMs, now.backpressuredMs),
  };
}

export type Health = 'well' | 'watch' | 'trouble' | 'silent';

export interface HealthLimits {
  readonly lagMs: number;
  readonly backpressured: number;
}

/** How a node is, and why, in the order in which it matters. `silent`: nothing was heard, which is not well. */
export function healthOf(
  node: Counts & {
    readonly kind: string;
    readonly lagMs: number | null;
    readonly idle: boolean;
    readonly watermark: number | null;
    readonly queue: number;
  },
  rates: Rates,
  limits: HealthLimits,
): { health: Health; reasons: readonly ('lag' | 'backpressure' | 'dead' | 'dropped' | 'late' | 'silent' | 'idle')[] } {
  const reasons: ('lag' | 'backpressure' | 'dead' | 'dropped' | 'late' | 'silent' | 'idle')[] = [];
  if (node.lagMs !== null && node.lagMs > limits.lagMs) reasons.push('lag');
  if (rates.backpressured > limits.backpressured) reasons.push('backpressure');
  const isTrouble = reasons.length > 0;
  if (node.dead > 0) reasons.push('dead');
  if (node.dropped > 0) reasons.push('dropped');
  if (node.late > 0) reasons.push('late');
  const isSilent = node.watermark === null || node.idle;
  if (isSilent)
    return { health: isTrouble ? 'trouble' : 'silent', reasons: [...reasons, node.idle ? 'idle' : 'silent'] };
  return { health: isTrouble ? 'trouble' : reasons.length > 0 ? 'watch' : 'well', reasons };
}
