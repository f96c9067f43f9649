/** The rules of buf's STANDARD and COMMENTS lint that matter to those who generate code from the proto, without needing buf. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { capabilities, outcomes } from './schema.ts';
import { capabilityNumber, outcomeNumber } from './wire.ts';

const lines = readFileSync(new URL('./proto/mach/feed115/v1/feed115.proto', import.meta.url), 'utf8').split('\n');
const declaration =
  /^\s*(?:message|enum|service|rpc|oneof|optional|repeated|(?:string|bool|double|u?int(?:32|64)|[A-Z]\w*) \w+ =|[A-Z_0-9]+ = \d)/;

describe('feed115.proto', () => {
  it('documents every message, field, enum value and call', () => {
    const bare = lines.filter((line, i) => declaration.test(line) && !/^\s*\/\//.test(lines[i - 1] ?? ''));
    expect(bare).toEqual([]);
    expect(lines.filter((line) => declaration.test(line)).length).toBeGreaterThan(80);
  });

  it('names things as usual: the package by its folder, the service, requests and responses, enum values by their enum', () => {
    const text = lines.join('\n');
    expect(text).toContain('package mach.feed115.v1;');
    for (const [, name] of text.matchAll(/^service (\w+)/gm)) expect(name).toMatch(/Service$/);
    for (const [, call, request, response] of text.matchAll(
      /rpc (\w+)\((?:stream )?(\w+)\) returns \((?:stream )?(\w+)\)/g,
    )) {
      expect([request, response]).toEqual([`${call}Request`, `${call}Response`]);
    }
    for (const [, name, body] of text.matchAll(/^enum (\w+) \{([^}]+)\}/gm)) {
      const values = [...(body ?? '').matchAll(/^\s*([A-Z_0-9]+) = (\d+);/gm)];
      expect(values[0]?.slice(1)).toEqual([`${name?.toUpperCase()}_UNSPECIFIED`, '0']);
      for (const [, value] of values) expect(value?.startsWith(`${name?.toUpperCase()}_`)).toBe(true);
    }
    for (const [, name] of text.matchAll(/^\s+(?:optional |repeated )?\w+ (\w+) = \d+;/gm))
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
  });

  it('has the numbers that events are named by', () => {
    const text = lines.join('\n');
    for (const [prefix, names, numbers] of [
      ['CAPABILITY', capabilities, capabilityNumber],
      ['OUTCOME', outcomes, outcomeNumber],
    ] as const) {
      for (const [index, name] of names.entries()) {
        expect(text).toContain(`${prefix}_${name.toUpperCase()} = ${index + 1};`);
        expect((numbers as Record<string, number>)[name]).toBe(index + 1);
      }
    }
  });
});
