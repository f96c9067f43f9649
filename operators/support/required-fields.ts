/** Fields without which an operator cannot do its work. */
import { type BoundInput, type Checker, type FieldType, isAssignable } from '../../runtime/stream/index.ts';

/** Records a problem at `option` for each field that the input has not, or has of another type. `remedy`: what to do where one is missing. */
export function requireFields(
  check: Checker,
  args: {
    option: string;
    input: BoundInput | undefined;
    fields: Readonly<Record<string, FieldType>>;
    remedy: string;
  },
): void {
  const { option, input, fields, remedy } = args;
  for (const [name, type] of Object.entries(fields)) {
    const given = input?.schema.fields[name];
    if (!given) check.problem(option, `"${input?.from}" has no field ${name}`, remedy);
    else if (!isAssignable(given.type, type))
      check.problem(option, `field ${name} of "${input?.from}" is a ${given.type.kind}, not a ${type.kind}`);
  }
}
