import type { ErrorData, Event, Output } from '../../runtime/stream/index.ts';
import { operatorErrors } from '../errors.ts';

/** The event becomes a dead letter, with the coded reason. */
export function turnAway(out: Output, event: Event, code: keyof typeof operatorErrors.list, data: ErrorData): void {
  out.dead(event, code, operatorErrors.make(code, data).message);
}
