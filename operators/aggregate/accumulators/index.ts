/** The accumulator of each aggregate call. */
import type { CompiledAggregate } from '../../../runtime/stream/index.ts';
import type { Accumulator } from './accumulator.ts';
import { approxDistinct } from './approx-distinct.ts';
import { count } from './count.ts';
import { distinct } from './distinct.ts';
import { first, last } from './ends.ts';
import { max, min } from './extreme.ts';
import { mean, wholeMean } from './mean.ts';
import { quantile } from './quantile.ts';
import { sum, wholeSum } from './sum.ts';

export type { Accumulator } from './accumulator.ts';

const plain = { count, mean, min, max, distinct, approx_distinct: approxDistinct, first, last } as const;

export function accumulatorOf(aggregate: CompiledAggregate): Accumulator {
  const { call, type } = aggregate;
  if (call === 'quantile') return quantile(aggregate.quantile ?? 0.5) as Accumulator;
  if (call === 'sum') return (type.kind === 'int' ? wholeSum : sum) as Accumulator;
  if (call === 'mean' && aggregate.argument?.type.kind === 'int') return wholeMean as Accumulator;
  return plain[call] as Accumulator;
}
