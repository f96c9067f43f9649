import type { Span } from './span.ts';

/** Plain data as YAML and JSON have it. */
export type RawValue = string | number | boolean | null | readonly RawValue[] | { readonly [key: string]: RawValue };

export type RawOptions = { readonly [key: string]: RawValue };

/** Where an option stands: its key (absent for items of lists) and its value. */
export interface OptionPlace {
  readonly key?: Span;
  readonly value: Span;
}

/** The options of a node as written: references such as `${env:X}` are kept as text, never their values. */
export interface OptionsNode {
  readonly kind: 'OptionsNode';
  readonly value: RawOptions;
  /** By JSON pointer: `/window/sliding`. Absent for a topology that was built in TypeScript. */
  readonly places?: Readonly<Record<string, OptionPlace>>;
}

function deepFreeze<T>(value: T): T {
  if (value === null || typeof value !== 'object') return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}

/** JSON pointer (RFC 6901) of a path. */
export function pointerOf(path: readonly (string | number)[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

export const OptionsNode = Object.freeze({
  is(node: { kind: string }): node is OptionsNode {
    return node.kind === 'OptionsNode';
  },
  create(value: RawOptions, places?: Readonly<Record<string, OptionPlace>>): OptionsNode {
    return Object.freeze({
      kind: 'OptionsNode',
      value: deepFreeze(value),
      ...(places && { places: deepFreeze(places) }),
    });
  },
});
