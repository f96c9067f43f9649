import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { duration } from '../stream/options.ts';
import type { RawValue } from './ir/options-node.ts';
import { describeIssues } from './option-problems.ts';
import { optionSchema } from './option-schema.ts';

/** Codes, problems and suggestions for an option. */
function problemsOf(option: z.ZodType, value: RawValue) {
  const definition = z.strictObject({ option });
  const { error } = definition.safeParse({ option: value });
  const context = { definition: 'probe', schema: optionSchema(definition), options: { option: value } };
  return describeIssues(error?.issues ?? [], context).map(({ code, data, suggestion }) => [
    code,
    data.problem,
    suggestion,
  ]);
}

const changeOrTime = z.union([duration(), z.literal('change')]);

describe('a text that is near to one of those that an option may be', () => {
  it.each([
    ['a literal beside a duration', changeOrTime, 'changed', 'change'],
    ['a literal before a duration', z.union([z.literal('change'), duration()]), 'chnage', 'change'],
    ['beside a mapping', z.union([z.literal('forever'), z.strictObject({ before: duration() })]), 'forevr', 'forever'],
    ['beside a list', z.union([z.enum(['all', 'none']), z.array(z.string())]), 'nome', 'none'],
    ['beside a text of a form', z.union([z.enum(['log', 'clock']), z.iso.datetime()]), 'clok', 'clock'],
    ['in another case', changeOrTime, 'Change', 'change'],
    ['optional, with a default', changeOrTime.optional(), 'chang', 'change'],
    ['of an enum alone', z.enum(['desc', 'asc']), 'dsc', 'desc'],
    ['a name of a mapping', z.partialRecord(z.enum(['arrival', 'discharge']), z.string()), { arival: 'x' }, 'arrival'],
  ])('%s', (_, option, value, meant) => {
    const [problem, ...others] = problemsOf(option, value as RawValue);
    expect(others).toEqual([]);
    expect(problem?.[2]).toBe(`did you mean ${meant}?`);
  });

  it('says what else the option may be', () => {
    expect(problemsOf(changeOrTime, 'changed')).toEqual([
      ['MACH1018', '"changed" is not a duration such as 30s or 5m or "change"', 'did you mean change?'],
    ]);
  });

  it('is not said of what is near to none', () => {
    expect(problemsOf(changeOrTime, '10 min')).toMatchObject([['MACH1019', expect.anything(), 'did you mean 10m?']]);
    expect(problemsOf(changeOrTime, 'hourly')[0]?.[2]).toBeUndefined();
  });

  it('is not said of what is one of them, and is refused for something else', () => {
    const order = z.enum(['desc', 'asc']).refine(() => false, 'not here');
    expect(problemsOf(order, 'asc')).toEqual([['MACH1018', 'not here', undefined]]);
  });
});
