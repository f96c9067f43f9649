/** Closures for logic. Two-valued: null counts as false. */
import type { Evaluate, Expression } from './expression.ts';

/** Small numbers of conditions are spelled out: a loop over an array of closures costs about twice as much. */
export function and(operands: readonly Expression[]): Evaluate {
  const [a, b, c, ...more] = operands.map(({ evaluate }) => evaluate) as [Evaluate, Evaluate, Evaluate?, ...Evaluate[]];
  if (!c) return (event) => a(event) === true && b(event) === true;
  if (more.length === 0) return (event) => a(event) === true && b(event) === true && c(event) === true;
  const all = [a, b, c, ...more];
  return (event) => {
    for (const condition of all) if (condition(event) !== true) return false;
    return true;
  };
}

export function or(operands: readonly Expression[]): Evaluate {
  const [a, b, c, ...more] = operands.map(({ evaluate }) => evaluate) as [Evaluate, Evaluate, Evaluate?, ...Evaluate[]];
  if (!c) return (event) => a(event) === true || b(event) === true;
  if (more.length === 0) return (event) => a(event) === true || b(event) === true || c(event) === true;
  const all = [a, b, c, ...more];
  return (event) => {
    for (const condition of all) if (condition(event) === true) return true;
    return false;
  };
}

export function not({ field, evaluate }: Expression): Evaluate {
  if (field !== undefined) return (event) => event[field] !== true;
  return (event) => evaluate(event) !== true;
}

export function choose(condition: Evaluate, then: Evaluate, otherwise: Evaluate): Evaluate {
  return (event) => (condition(event) === true ? then(event) : otherwise(event));
}
