import { Environment } from '@marcbachmann/cel-js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineSchema, type Event, field } from '../stream/schema.ts';
import { event as example, schema as exampleSchema } from './fixtures.ts';
import { compileAggregateExpression, compileExpression } from './index.ts';

/** What both languages mean alike: no division of whole numbers, no int beside a float, no absent values. */
const schema = defineSchema({
  i: field.int(),
  j: field.int(),
  x: field.float(),
  y: field.float(),
  s: field.string(),
  t: field.string(),
  p: field.bool(),
  q: field.bool(),
  is: field.list({ kind: 'int' }),
  ss: field.list({ kind: 'string' }),
});

const peer = new Environment();
for (const [name, type] of [
  ['i', 'int'],
  ['j', 'int'],
  ['x', 'double'],
  ['y', 'double'],
  ['s', 'string'],
  ['t', 'string'],
  ['p', 'bool'],
  ['q', 'bool'],
  ['is', 'list<int>'],
  ['ss', 'list<string>'],
] as const) {
  peer.registerVariable(name, type);
}

const text = fc.string({ unit: fc.constantFrom('a', 'B', 'đ', 'ế', '-', ' '), maxLength: 5 });
const whole = fc.integer({ min: -50, max: 50 });
const real = fc.integer({ min: -400, max: 400 }).map((value) => value / 8);
const events: fc.Arbitrary<Event> = fc.record({
  i: whole,
  j: whole,
  x: real,
  y: real,
  s: text,
  t: text,
  p: fc.boolean(),
  q: fc.boolean(),
  is: fc.array(whole, { maxLength: 4 }),
  ss: fc.array(text, { maxLength: 4 }),
});

function toPeer(event: Event): Event {
  return {
    ...event,
    i: BigInt(event.i as number),
    j: BigInt(event.j as number),
    is: (event.is as number[]).map(BigInt),
  };
}

function fromPeer(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  // Zero has no sign here: a stored -0 could not be told from 0.
  if (typeof value === 'number') return value + 0;
  return Array.isArray(value) ? value.map(fromPeer) : value;
}

type Kinds = { int: string; float: string; text: string; bool: string; ints: string; texts: string };

const {
  bool,
  int,
  float,
  text: textExpression,
  ints,
  texts,
} = fc.letrec<Kinds>((tie) => {
  const binary = (of: keyof Kinds, ...operators: string[]) =>
    fc.tuple(tie(of), fc.constantFrom(...operators), tie(of)).map(([a, operator, b]) => `(${a} ${operator} ${b})`);
  const choice = (of: keyof Kinds) =>
    fc.tuple(tie('bool'), tie(of), tie(of)).map(([c, a, b]) => `(${c} ? ${a} : ${b})`);
  const literalText = text.map((value) => JSON.stringify(value));
  const macro = (of: 'ints' | 'texts', name: string) => {
    const item = of === 'ints' ? ['v > 3', 'v == i', 'v % 2 == 0 && v < j'] : ['v == s', 'v.size() > 2', 'v + t != s'];
    return fc.tuple(tie(of), fc.constantFrom(...item)).map(([list, condition]) => `${list}.${name}(v, ${condition})`);
  };
  const depth = { maxDepth: 4, depthIdentifier: 'expression' };
  return {
    int: fc.oneof(
      depth,
      fc.constantFrom('i', 'event.i', 'j'),
      whole.map(String),
      binary('int', '+', '-', '*'),
      tie('int').map((a) => `(${a} % 7)`),
      tie('int').map((a) => `-(${a})`),
      tie('text').map((a) => `size(${a})`),
      tie('ints').map((a) => `${a}.size()`),
      choice('int'),
    ),
    float: fc.oneof(
      depth,
      fc.constantFrom('x', 'y'),
      real.map((value) => (Number.isInteger(value) ? value.toFixed(1) : String(value))),
      binary('float', '+', '-', '*'),
      tie('float').map((a) => `(${a} / 4.0)`),
      tie('int').map((a) => `double(${a})`),
      choice('float'),
    ),
    text: fc.oneof(
      depth,
      fc.constantFrom('s', 't'),
      literalText,
      binary('text', '+'),
      choice('text'),
      tie('text').map((a) => `${a}.trim()`),
    ),
    bool: fc.oneof(
      depth,
      fc.constantFrom('p', 'q', 'true', 'false'),
      binary('int', '<', '<=', '>', '>=', '==', '!='),
      binary('float', '<', '<=', '>', '>=', '==', '!='),
      binary('text', '<', '>=', '==', '!='),
      binary('bool', '&&', '||', '==', '!='),
      tie('bool').map((a) => `!(${a})`),
      fc
        .tuple(tie('text'), fc.constantFrom('startsWith', 'endsWith', 'contains'), tie('text'))
        .map(([a, f, b]) => `${a}.${f}(${b})`),
      fc.tuple(tie('int'), tie('ints')).map(([a, b]) => `(${a} in ${b})`),
      fc.tuple(tie('text'), tie('texts')).map(([a, b]) => `(${a} in ${b})`),
      fc.oneof(...['exists', 'all', 'exists_one'].flatMap((name) => [macro('ints', name), macro('texts', name)])),
      choice('bool'),
    ),
    ints: fc.oneof(
      depth,
      fc.constant('is'),
      fc.array(tie('int'), { minLength: 1, maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
      macro('ints', 'filter'),
      tie('ints').map((a) => `${a}.map(v, v * 2 - i)`),
      tie('ints').map((a) => `${a}.map(v, v > 0, v % 5)`),
    ),
    texts: fc.oneof(
      depth,
      fc.constant('ss'),
      fc.array(tie('text'), { minLength: 1, maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
      macro('texts', 'filter'),
      fc.tuple(tie('text'), fc.constantFrom('"-"', '" "')).map(([a, b]) => `${a}.split(${b})`),
    ),
  };
});

describe('properties', () => {
  it('means what CEL means, where both know what is meant', () => {
    const expression = fc.oneof(bool, bool, int, float, textExpression, ints, texts);
    fc.assert(
      fc.property(expression, fc.array(events, { minLength: 1, maxLength: 4 }), (source, given) => {
        const compiled = compileExpression(source, schema);
        // `(p ? "a" : "b") == "c"` is a mistake here, and false there.
        fc.pre(compiled.ok || compiled.problems.some(({ code }) => code !== 'MACH1215'));
        if (!compiled.ok) throw new Error(compiled.problems.map(({ message }) => message).join('; '));
        const theirs = peer.parse(source.replaceAll('event.', ''));
        expect(theirs.check().error).toBeUndefined();
        for (const event of given) expect(fromPeer(compiled.evaluate(event))).toEqual(fromPeer(theirs(toPeer(event))));
      }),
      { numRuns: 2_000 },
    );
  });

  const names = [...Object.keys(exampleSchema.fields), 'event', 'nme'];
  const words = [
    '&&',
    '||',
    '!',
    '==',
    '<',
    '+',
    '-',
    '/',
    '%',
    '?',
    ':',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    ',',
    '.',
    ' in ',
    'null',
    'true',
  ];
  const calls = [
    'size(',
    'matches(',
    'has(',
    'hour(',
    '.map(x,',
    '.exists(x,',
    'min(',
    'timestamp(',
    'coalesce(',
    'substring(',
  ];
  const literals = [
    '1',
    '2.5',
    '"A90"',
    '"(a+"',
    '"UTC"',
    '"5m"',
    "'",
    '"',
    '\\',
    'é',
    '\n',
    '0x',
    '1e',
    '9'.repeat(30),
  ];
  const garbage = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc
      .array(fc.constantFrom(...names, ...words, ...calls, ...literals), { maxLength: 14 })
      .map((parts) => parts.join('')),
  );

  it('has a problem inside the text for whatever cannot be compiled, and never throws', () => {
    fc.assert(
      fc.property(garbage, (source) => {
        for (const compiled of [
          compileExpression(source, exampleSchema),
          compileAggregateExpression(source, exampleSchema),
        ]) {
          if (compiled.ok) continue;
          expect(compiled.problems.length).toBeGreaterThan(0);
          for (const { offset, length, message } of compiled.problems) {
            expect(offset).toBeGreaterThanOrEqual(0);
            expect(length).toBeGreaterThan(0);
            expect(offset + length).toBeLessThanOrEqual(Math.max(1, source.length));
            expect(message).not.toBe('');
          }
        }
      }),
      { numRuns: 5_000 },
    );
  });

  it('never throws on events that are not what their schema says, and keeps to its result type', () => {
    const sources = [
      'minutes * 2 + beds / score',
      'hospital + ward.upper()',
      'kind == "arrival" && minutes > 240 || ward in codes',
      'codes.map(c, c.size()).exists(n, n > 2)',
      'hour(at, "Asia/Ho_Chi_Minh") + day_of_week(at + waited, "Asia/Ho_Chi_Minh")',
      'date(at, "America/New_York")',
      'string(floor_to(at, waited, "Asia/Ho_Chi_Minh"))',
      'geo_distance_km(place.lat, place.lon, score, score)',
      'raw.PV1.beds[minutes] == codes[beds]',
      'hospital.matches("^(H|K)[0-9]+$") ? hospital.substring(beds, minutes) : hospital.replace(ward, hospital)',
      'coalesce(raw, place, minutes)',
      'string(raw) + string(urgent)',
      'int(raw) + int(hospital)',
      'round(score, beds) + max(minutes, score) + min(loads)',
      'timestamp(hospital) - at',
      '{"a": loads, "b": [minutes, beds]} == raw',
      '-waited > duration(hospital)',
    ];
    const compiled = sources.map((source) => {
      const result = compileExpression(source, exampleSchema);
      if (!result.ok) throw new Error(`${source}: ${result.problems.map(({ message }) => message).join('; ')}`);
      return result;
    });
    const value = fc.oneof(fc.anything(), fc.double(), fc.constantFrom(...Object.values(example)));
    const event = fc.record(Object.fromEntries(Object.keys(example).map((name) => [name, value])));
    fc.assert(
      fc.property(event, (given) => {
        for (const { evaluate, type } of compiled) {
          const result = evaluate(given as Event);
          expect(result).not.toBeUndefined();
          if (result !== null && type.kind === 'bool') expect(typeof result).toBe('boolean');
          if (result !== null && (type.kind === 'int' || type.kind === 'float'))
            expect(Number.isFinite(result)).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
