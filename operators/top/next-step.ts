import type { OperatorContext, StateKey } from '../../runtime/stream/index.ts';

/** A changed ranking is given at the next whole step. */
export function scheduleNext(
  context: OperatorContext,
  key: StateKey,
  { time, everyMs }: { readonly time: number; readonly everyMs: number },
): void {
  const watermark = context.watermark();
  const now = Number.isFinite(watermark) ? watermark : time;
  context.timers.set(key, 'give 0', (Math.floor(now / everyMs) + 1) * everyMs);
}
