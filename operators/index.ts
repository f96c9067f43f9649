/** Every operator that topologies may use. */
import type { OperatorDefinition } from '../runtime/stream/index.ts';
import { aggregate } from './aggregate/aggregate.ts';
import { alert } from './alert/alert.ts';
import { ambulanceLoad } from './ambulance-load.ts';
import { dedupe } from './dedupe.ts';
import { edCensus } from './ed-census/ed-census.ts';
import { edOverload } from './ed-overload/ed-overload.ts';
import { enrich } from './enrich/enrich.ts';
import { filter } from './filter.ts';
import { join } from './join/join.ts';
import { latest } from './latest.ts';
import { map } from './map.ts';
import { pattern } from './pattern/pattern.ts';
import { rankHospitalsOperator } from './rank-hospitals/rank-hospitals.ts';
import { route } from './route.ts';
import { sample } from './sample.ts';
import { throttle } from './throttle.ts';
import { top } from './top/top.ts';
import { union } from './union.ts';

export const operators: readonly OperatorDefinition[] = [
  aggregate,
  alert,
  ambulanceLoad,
  dedupe,
  edCensus,
  edOverload,
  enrich,
  filter,
  join,
  latest,
  map,
  pattern,
  rankHospitalsOperator,
  route,
  sample,
  throttle,
  top,
  union,
];
