import { describe, expect, it } from 'vitest';
import { type CodeWriter, ColumnCode, EventCode } from './code.ts';

/** `double(field)`, with how often it was called. */
function doubling() {
  const counted = { calls: 0 };
  const double = (value: number | null) => {
    counted.calls++;
    return value === null ? null : value * 2;
  };
  const call = (field: string) => (code: CodeWriter) => {
    const variable = code.temporary();
    return code.shared(`(${variable} = ${code.field(field)}, ${code.given(double)}(${variable}))`);
  };
  return { counted, double, call };
}

describe('a text that stands in several places of a function', () => {
  it('is computed once for an event, where it is first wanted', () => {
    const { counted, call } = doubling();
    const n = call('n');
    const sum = new EventCode().compile((code) => `${n(code)} + ${call('m')(code)} + ${n(code)} + ${n(code)}`);
    expect(sum({ n: 1, m: 10 })).toBe(26);
    expect(counted.calls).toBe(2);
    expect(sum({ n: 2, m: 20 })).toBe(52);
    expect(counted.calls).toBe(4);
  });

  it('is not computed where nothing wants it, nor twice where it is null', () => {
    const { counted, call } = doubling();
    const n = call('n');
    const chosen = new EventCode().compile(
      (code) =>
        `(${code.field('a')} ? ${n(code)} === null : false) || (${code.field('b')} ? ${n(code)} === null : false)`,
    );
    expect(chosen({ a: false, b: false, n: 1 })).toBe(false);
    expect(counted.calls).toBe(0);
    expect(chosen({ a: false, b: true, n: 1 })).toBe(false);
    expect(counted.calls).toBe(1);
    const both = new EventCode().compile((code) => `${n(code)} === null && ${n(code)} === null`);
    expect(both({ n: null })).toBe(true);
    expect(counted.calls).toBe(2);
  });

  it('may stand in another', () => {
    const { counted, call, double } = doubling();
    const n = call('n');
    const outer = (code: CodeWriter) => code.shared(`${code.given(double)}(${n(code)})`);
    const sum = new EventCode().compile((code) => `${outer(code)} + ${n(code)} + ${outer(code)}`);
    expect(sum({ n: 1 })).toBe(10);
    expect(counted.calls).toBe(2);
  });

  it('is computed for each row of a loop', () => {
    const { counted, call } = doubling();
    const n = call('n');
    const code = new ColumnCode();
    const body = `made.push(${n(code)} + ${n(code)});`;
    type Loop = (from: unknown[], offset: number, rows: Uint32Array, count: number) => number[];
    const loop = code.compileLoop<Loop>('', { before: 'const made = [];', body, after: 'return made;' });
    expect(code.names).toEqual(['n']);
    expect(loop([[0, 1, 2, 3]], 1, Uint32Array.of(0, 2), 2)).toEqual([4, 12]);
    expect(counted.calls).toBe(2);
  });

  it.each([
    ['n', 'm'],
    ['value0', 'value1'],
    ['value1', 'value0'],
    ['value1', 'value2'],
    ['value2', 'value10'],
    ['shared0', 'shared1'],
    ['given0', 'given1'],
    ['$value1', '$value2'],
    ['value1_', 'value2_'],
  ])('is not that of another field: %s, %s', (one, other) => {
    const { call } = doubling();
    const difference = new EventCode().compile((code) => `${call(one)(code)} - ${call(other)(code)}`);
    expect(difference({ [one]: 3, [other]: 1 })).toBe(4);
    expect(new EventCode().isSameText(call(one), call(other))).toBe(false);
  });

  it('is that of the same field, whatever was written before it', () => {
    const { call } = doubling();
    const code = new EventCode();
    code.temporary();
    expect(code.isSameText(call('value1'), call('value1'))).toBe(true);
  });
});
