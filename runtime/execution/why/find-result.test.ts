import { describe, expect, it } from 'vitest';
import { smallCatalogue } from '../../testing/small-catalogue.ts';
import { type BoundTopology, loadTopology } from '../../topology/index.ts';
import { parseResult } from './find-result.ts';

const text = `version: 1
name: rooms
sources:
  pulse:
    pulses: {}
operators:
  high:
    keep: { from: pulse, min: 100 }
sinks:
  readings:
    collect: { from: pulse }
`;

function load(): BoundTopology {
  const readFile = () => new TextEncoder().encode(text);
  const { topology, diagnostics } = loadTopology('rooms.yaml', { catalogue: smallCatalogue(), env: {}, readFile });
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return topology as BoundTopology;
}

describe('parseResult', () => {
  const topology = load();
  const parse = (result: string, ...conditions: string[]) => parseResult(topology, result, conditions);

  it('reads a place, with stage and partition or without', () => {
    expect(parse('readings/s2/3/47/1').place).toEqual({ stage: 's2', partition: 3, sequence: 47, index: 1 });
    expect(parse('readings/47/1').place).toEqual({ sequence: 47, index: 1 });
    expect(parse('readings').place).toBeUndefined();
  });

  it('reads values by the type of their field', () => {
    expect(parse('readings', 'hospital=H1,value=12').values).toEqual({ hospital: 'H1', value: 12 });
    expect(parse('readings', 'hospital=H1', 'value=null').values).toEqual({ hospital: 'H1', value: null });
  });

  it('takes commas as part of a value unless another name comes after them', () => {
    expect(parse('readings', 'hospital=H1, tầng 2,value=12').values).toEqual({ hospital: 'H1, tầng 2', value: 12 });
    expect(parse('readings', 'hospital=H1,ICU').values).toEqual({ hospital: 'H1,ICU' });
  });

  it.each([
    [['reading'], '"reading"; did you mean readings?'],
    [['nothing'], 'no table, sink or alert "nothing"; tables and sinks are readings'],
    [['high'], 'high is an operator, not a table or a sink; tables and sinks are readings'],
    [['pulse'], 'pulse is a source, not a table or a sink; tables and sinks are readings'],
    [['high/s1/0/4/1'], 'high is an operator'],
    [['readings/s1/0/x/1'], 'a place is TABLE/STAGE/PARTITION/SEQUENCE/INDEX'],
    [['readings/1'], 'a place is'],
    [['readings', 'hospitl=H1'], 'no field hospitl; did you mean hospital?'],
    [['readings', 'value=many'], '"many" is no int'],
    [['readings', 'constructor=1'], 'no field constructor'],
    [['readings', 'H1'], '"H1" is not field=value'],
  ])('refuses %j', ([result = '', ...conditions], reason) => {
    expect(() => parse(result, ...conditions)).toThrow(reason);
  });
});
