import { convertFunctions } from './convert.ts';
import type { FunctionDefinition } from './define.ts';
import { geoFunctions } from './geo.ts';
import { mathFunctions } from './math.ts';
import { textFunctions } from './text.ts';
import { timeFunctions } from './time.ts';

/** All functions of the language, by name. */
export const functions: ReadonlyMap<string, FunctionDefinition> = new Map(
  [...textFunctions, ...mathFunctions, ...timeFunctions, ...geoFunctions, ...convertFunctions].map((each) => [
    each.name,
    each,
  ]),
);
