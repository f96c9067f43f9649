import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { topologyJsonSchema } from './json-schema.ts';
import { goodTopology, testCatalogue } from './test-catalogue.ts';

const validate = new Ajv({ allErrors: true, strict: false }).compile(topologyJsonSchema(testCatalogue));

function isValid(text: string): boolean {
  return validate(parse(text.replaceAll('${env:BED_FILES}', '"${env:BED_FILES}"')));
}

describe('the JSON Schema of topology files', () => {
  it('accepts a good file', () => {
    expect(isValid(goodTopology)).toBe(true);
    expect(isValid(goodTopology.replace('listen: 2575', 'listen: "${env:PORT}"'))).toBe(true);
    expect(isValid(goodTopology.replace('idle: 2m', 'idle: "${env:IDLE}"'))).toBe(true);
  });

  it.each([
    ['another version', 'version: 1', 'version: 2'],
    ['an unknown key', 'description: Emergency', 'descripton: Emergency'],
    ['an unknown operator', '    filter:', '    fliter:'],
    ['an unknown option', 'listen: 2575', 'lissten: 2575'],
    ['an option of the wrong type', 'listen: 2575', 'listen: many'],
    ['a value that is none of those allowed', 'format: csv', 'format: cvs'],
    ['a bad duration', 'idle: 2m', 'idle: 2 min'],
    ['a bad duration in an option', 'sliding: 10m', 'sliding: 10'],
    ['a bad id', '  waiting:\n', '  Waiting:\n'],
    ['a sink without what it needs', 'table: { from: load, table: ed_status }', 'table: { from: load }'],
  ])('refuses %s', (_, from, to) => {
    expect(goodTopology).toContain(from);
    expect(isValid(goodTopology.replace(from, to))).toBe(false);
  });

  it('explains each definition and option', () => {
    const text = JSON.stringify(topologyJsonSchema(testCatalogue));
    expect(text).toContain('Counts events by key and window.');
    expect(text).toContain('port to listen on');
    expect(text).not.toContain('"mach"');
  });
});
