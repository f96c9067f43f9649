/** Binds a definition as the loader would, for tests: options parsed, problems thrown. */
import { resolve } from 'node:path';
import type { z } from 'zod';
import type {
  BoundSink,
  BoundSource,
  Checker,
  Event,
  Schema,
  SinkDefinition,
  SourceDefinition,
} from '../../runtime/stream/index.ts';

/** A checker over raw options that gathers its problems; `folder` is where the topology would lie. */
function testChecker(options: unknown, folder: string): Checker & { readonly problems: string[] } {
  const problems: string[] = [];
  return {
    problems,
    expression() {
      throw new Error('connectors have no expressions');
    },
    aggregate() {
      throw new Error('connectors have no aggregates');
    },
    field(path, input, _wanted) {
      const steps = typeof path === 'string' ? [path] : path;
      const name = String(steps.reduce<unknown>((value, step) => (value as Event)[String(step)], options));
      if (!(name in input.fields)) problems.push(`${name}: no such field`);
      return name;
    },
    fields() {
      throw new Error('connectors name fields one by one');
    },
    problem(path, message, suggestion) {
      const place = typeof path === 'string' ? path : path.join('.');
      problems.push(`${place}: ${message}${suggestion ? ` (${suggestion})` : ''}`);
    },
    resolveFile: (path) => resolve(folder, path),
  };
}

export function bindSource<O extends z.ZodType>(
  definition: SourceDefinition<O>,
  options: unknown,
  folder = '.',
): BoundSource {
  const check = testChecker(options, folder);
  const bound = definition.bind({ options: definition.options.parse(options), check });
  if (check.problems.length > 0) throw new Error(check.problems.join('; '));
  return bound;
}

export function bindSink<O extends z.ZodType>(
  definition: SinkDefinition<O>,
  options: unknown,
  schema: Schema,
  folder = '.',
): BoundSink {
  const check = testChecker(options, folder);
  const inputs = { from: { from: 'upstream', schema } };
  const bound = definition.bind({ options: definition.options.parse(options), inputs, check });
  if (check.problems.length > 0) throw new Error(check.problems.join('; '));
  return bound;
}
