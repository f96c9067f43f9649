import type { BoundOperator, OperatorContext, OperatorHandler } from './operator-definition.ts';

/** What handles the events of an operator: the handler that it creates, or a plain function as one. */
export function makeHandler(bound: BoundOperator, context: OperatorContext): OperatorHandler {
  const { stateless } = bound;
  if (stateless) {
    return {
      event(event, _time, out) {
        const result = stateless(event);
        if (result === null) out.filtered();
        else out.emit(result);
      },
    };
  }
  if (!bound.create) throw new Error(`the operator of node ${context.node} has neither a handler nor a function`);
  return bound.create(context);
}
