import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeWanted, optionSchema, schemasAt } from './option-schema.ts';

const wantedOf = (option: z.ZodType) => describeWanted(schemasAt(optionSchema(z.object({ option })), ['option']));

describe('what an option should have been', () => {
  it('names the text null once where YAML reads it as nothing', () => {
    expect(wantedOf(z.enum(['null', 'drop']).or(z.null()))).toBe('one of null, drop');
    expect(wantedOf(z.enum(['keep', 'drop']).or(z.null()))).toBe('one of keep, drop or null');
    expect(wantedOf(z.string().or(z.null()))).toBe('a text or null');
  });
});
