/** What `bind` is handed: checks of options that gather all problems, and the expressions that they compile. */
import type { CompiledAggregate } from '../expression/aggregate.ts';
import type { Write } from './code.ts';
import type { Event, Fields, FieldType, PrivacyTag, Schema } from './schema.ts';

/** Where in a node's options something is: `when`, `['values', 'patients']`. */
export type OptionPath = string | readonly (string | number)[];

/** A compiled expression. Pure; never throws: what fails (a division by zero, an absent value) gives null, and false for a condition. */
export interface CompiledExpression<T = unknown> {
  readonly type: FieldType;
  readonly nullable: boolean;
  /** Fields of the input that it reads. */
  readonly fields: readonly string[];
  /** The strongest tag of what it reads. */
  readonly privacy?: PrivacyTag;
  /** `variables`: of an expression that was compiled with some. */
  evaluate(event: Event, variables?: Readonly<Record<string, unknown>>): T;
  /** The same as code, where it hangs on the fields alone. */
  readonly write?: Write;
}

/** Handed to `bind`: type checks that gather all problems instead of stopping at the first. */
export interface Checker {
  /**
   * Compiles the expression at an option. `wanted`: the type that it must have, or 'any'. A problem is recorded with its
   * place in the file, and an expression that gives null stands in, so that the check can go on. `variables`: names beside the fields, whose
   * values come with each evaluation.
   */
  expression(
    path: OptionPath,
    input: Schema,
    wanted: FieldType['kind'] | 'number' | 'any',
    variables?: Fields,
  ): CompiledExpression;
  /** Compiles an aggregate at an option: one call over the events of a window, such as `max(minutes)`. Stands in as `expression` does. */
  aggregate(path: OptionPath, input: Schema): CompiledAggregate;
  /**
   * The field named at an option, of the input's schema. When there is none a problem is recorded, and the field that was probably meant stands in, so
   * that nodes behind are not told of the same mistake.
   */
  field(path: OptionPath, input: Schema, wanted?: FieldType['kind'] | 'number'): string;
  /** The same of an option that lists fields: for `hospital, ward`, which is one text to YAML, both stand in. */
  fields(option: string, input: Schema): string[];
  /** Records a problem at an option. */
  problem(path: OptionPath, message: string, suggestion?: string): void;
  /** Path of a file named in the topology, relative to the topology's own folder. */
  resolveFile(path: string): string;
}
