/** Faults of a test. */
import type { Span } from '../../topology/ir/span.ts';
import type { Path } from '../../topology/places.ts';
import { type BindContext, checkNode, durationOf } from './bind.ts';
import type { FaultStep } from './bound-test.ts';
import type { RawFault } from './format.ts';
import { topologyTestLimits } from './limits.ts';

export function bindFault(raw: RawFault, path: Path, place: Span, context: BindContext): FaultStep | undefined {
  const { crash, crash_after: crashAfter, store } = raw;
  const dropAcknowledgements = raw.drop_acks ?? raw.drop_acknowledgements ?? 0;
  if (crash === undefined && crashAfter === undefined && dropAcknowledgements === 0 && store === undefined) {
    const problem = 'a fault is crash: NODE, crash_after: 3, drop_acks: 2, store: down 10m, or several of them';
    context.report({ code: 'MACH1501', path, data: { problem } });
  }
  if (crash !== undefined) checkNode(context, crash, [...path, 'crash']);
  const storeDownMs = store === undefined ? 0 : storeDown(store, [...path, 'store'], context);
  return { kind: 'fault', place, crashAt: crash, crashAfter, dropAcknowledgements, storeDownMs };
}

/** `down 10m` */
function storeDown(text: string, path: Path, context: BindContext): number {
  const [, duration] = /^down (\S+)$/.exec(text) ?? [];
  if (duration !== undefined) return durationOf(duration, path, context, topologyTestLimits.advanceMaxMs) ?? 0;
  context.report({
    code: 'MACH1508',
    path,
    data: { what: 'store', problem: `"${text}" is not known; write down 10m` },
  });
  return 0;
}
