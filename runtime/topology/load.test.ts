import { describe, expect, it } from 'vitest';
import type { Diagnostic } from './diagnostic.ts';
import { loadTopology } from './load.ts';
import { formatOneLine } from './print-diagnostics.ts';
import { fromText, goodTopology, testCatalogue, testEnvironment } from './test-catalogue.ts';

function load(text: string | Uint8Array, env: Record<string, string> = testEnvironment) {
  return loadTopology('t.yaml', { catalogue: testCatalogue, env, readFile: fromText(text) });
}

function change(...changes: [string, string][]): string {
  return changes.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the good topology has no ${from}`);
    return text.replace(from, to);
  }, goodTopology);
}

function place({ code, line, column }: Diagnostic): string {
  return `${code} ${line}:${column}`;
}

function errorsOf(text: string | Uint8Array, env?: Record<string, string>): string[] {
  const { topology, diagnostics } = load(text, env);
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) expect(topology).toBeUndefined();
  return errors.map(place);
}

describe('a good topology', () => {
  it('is bound, in topological order, without a diagnostic', () => {
    const { topology, diagnostics } = load(goodTopology);
    expect(diagnostics).toEqual([]);
    expect(topology?.name).toBe('waiting-rooms');
    expect(topology?.operators.map(({ id }) => id)).toEqual(['waiting', 'per_hospital', 'with_beds', 'load']);
    expect(topology?.sources[0]).toMatchObject({ id: 'adt', durability: 'broker', idleMs: 120_000, disorderMs: 5_000 });
    expect(topology?.sources[1]).toMatchObject({
      id: 'bed_files',
      durability: 'broker',
      idleMs: 60_000,
      disorderMs: 0,
    });
    expect(topology?.operators[2]?.inputs).toMatchObject([
      { input: 'left', from: { node: 'per_hospital', port: 'out' } },
      { input: 'right', from: { node: 'bed_files', port: 'out' } },
    ]);
    expect(topology?.sinks[1]?.inputs).toMatchObject([{ input: 'from', from: { node: 'per_hospital', port: 'late' } }]);
    expect(Object.keys(topology?.sinks[0]?.inputs[0]?.schema.fields ?? {})).toEqual(['hospital', 'load']);
  });

  it('puts nodes that are read before they are written into order', () => {
    const text = `version: 1
name: order
sources: { a: { visits: { listen: 1 } } }
operators:
  second: { filter: { from: first, when: "true" } }
  first: { filter: { from: a, when: "true" } }
sinks: { out: { table: { from: second, table: t } } }
`;
    const { topology, diagnostics } = load(text);
    expect(diagnostics).toEqual([]);
    expect(topology?.operators.map(({ id }) => id)).toEqual(['first', 'second']);
  });

  it('has late and dead ports where there is a handler, with the reason beside the dead event', () => {
    const node = load(goodTopology).topology?.operators.find(({ id }) => id === 'per_hospital');
    expect(Object.keys(node?.ports ?? {}).sort()).toEqual(['dead', 'late', 'out']);
    expect(Object.keys(node?.ports.dead?.fields ?? {})).toEqual([
      ...Object.keys(node?.inputs[0]?.schema.fields ?? {}),
      'code',
      'reason',
    ]);
  });

  it('reads a byte order mark, CRLF, and a section that is empty', () => {
    const windows = `\ufeff${goodTopology.replaceAll('\n', '\r\n')}`;
    expect(load(windows).diagnostics).toEqual([]);
    const short =
      'version: 1\nname: short\nsources: { a: { beds: { folder: x } } }\noperators:\nsinks: { b: { table: { from: a, table: t } } }\n';
    expect(load(short).diagnostics).toEqual([]);
  });

  it('has one hash whatever its layout, and another one when it means something else', () => {
    const hash = load(goodTopology).topology?.hash;
    const laidOut = goodTopology
      .replace(
        '{ folder: ${env:BED_FILES}, format: csv }',
        '\n      format: csv # rows\n      folder: ${env:BED_FILES}',
      )
      .replace('description: only who waits', 'description: others');
    expect(load(laidOut).topology?.hash).toBe(hash);
    expect(load(goodTopology, { ...testEnvironment, TOKEN: 'another-value' }).topology?.hash).toBe(hash);
    expect(load(change(['10m', '11m'])).topology?.hash).not.toBe(hash);
  });

  it('takes anchors and aliases', () => {
    const text = change(
      ['window: { sliding', 'window: &w { sliding'],
      ['  with_beds:', '  again: { count: { from: waiting, key: hospital, window: *w } }\n  with_beds:'],
    );
    expect(errorsOf(text)).toEqual([]);
  });
});

describe('text that is no topology', () => {
  const cases: [title: string, text: string | Uint8Array, errors: string[]][] = [
    ['an empty file', '', ['MACH1004 1:1']],
    ['blank lines', '\n \n', ['MACH1004 1:1']],
    ['only comments', '# nothing\n', ['MACH1004 1:1']],
    ['a list', '- a\n', ['MACH1010 1:1']],
    ['a text', 'hello\n', ['MACH1010 1:1']],
    ['a tab as indentation', 'version: 1\nname: x\nsources:\n\ta: 1\n', ['MACH1006 4:1']],
    ['a tab after spaces', 'version: 1\nsources:\n  a:\n  \tb: 1\n', ['MACH1006 4:3']],
    ['a quote that is not closed', 'version: 1\nname: "x\nsources: {}\n', ['MACH1005 2:7']],
    [
      'a bracket that is not closed',
      'version: 1\nsources: { a: { visits: { listen: 1 }\nsinks: {}\n',
      ['MACH1005 3:1'],
    ],
    [
      'a list in a text without quotes between braces',
      'version: 1\noperators: { f: { filter: { when: kind in ["a"] } } }\n',
      ['MACH1005 2:43'],
    ],
    ['a mapping in the line of its key', 'version: 1\nname: a: b\n', ['MACH1005 2:7']],
    ['lines that do not line up', 'version: 1\nsources:\n  a: 1\n b: 2\n', ['MACH1005 4:1']],
    ['two documents', 'version: 1\n---\nname: x\n', ['MACH1005 2:1']],
    [
      'an alias of nothing',
      'version: *one\n',
      ['MACH1013 1:1', 'MACH1014 1:1', 'MACH1014 1:1', 'MACH1005 1:10', 'MACH1011 1:10'],
    ],
    ['a tag', 'version: !!set 1\n', ['MACH1005 1:10']],
    ['Latin-1', new Uint8Array([...new TextEncoder().encode('version: 1\nname: b'), 0xe9, 0x0a]), ['MACH1002 2:8']],
    ['UTF-16', new Uint8Array([0xff, 0xfe, 0x76, 0x00]), ['MACH1002 1:1']],
    ['a control character', 'version: 1\nname: a\u0000b\n', ['MACH1002 2:8']],
    ['a huge file', `version: 1\n# ${'x'.repeat(1024 * 1024)}`, ['MACH1003 1:1']],
    ['deep brackets', `version: 1\nname: ${'['.repeat(200_000)}`, ['MACH1007 2:39']],
    ['deep dashes', `a: 1\nb:\n${'- '.repeat(100_000)}x`, ['MACH1007 3:65']],
    [
      'deep indentation',
      Array.from({ length: 60 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
      ['MACH1007 34:34'],
    ],
  ];
  it.each(cases)('%s', (_, text, errors) => {
    expect(errorsOf(text)).toEqual(errors);
  });

  it('an alias bomb ends at a bound', () => {
    const levels = Array.from({ length: 9 }, (_, level) =>
      level === 0
        ? 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]'
        : `a${level}: &a${level} [${Array(10)
            .fill(`*a${level - 1}`)
            .join(', ')}]`,
    );
    expect(load(levels.join('\n')).diagnostics.map(({ code }) => code)).toContain('MACH1008');
  });

  it('a file that does not exist', () => {
    const { diagnostics } = loadTopology('absent.yaml', { catalogue: testCatalogue, env: {}, readFile: fromText('') });
    expect(diagnostics.map(formatOneLine)).toEqual([
      'MACH1001 absent.yaml:1:1  the file cannot be read: it does not exist',
    ]);
  });
});

describe('mistakes in a topology', () => {
  const cases: [title: string, changes: [string, string][], errors: string[], message: string][] = [
    ['no version', [['version: 1\n', '']], ['MACH1011 2:1'], 'add "version: 1"'],
    ['another version', [['version: 1', 'version: 2']], ['MACH1011 2:10'], 'this mach reads version 1'],
    ['a bad name', [['name: waiting-rooms', 'name: Phòng Chờ']], ['MACH1013 3:7'], 'did you mean phong_cho?'],
    ['an unknown key', [['sinks:', 'sink:']], ['MACH1012 40:1'], 'did you mean sinks?'],
    [
      'a misspelt section, of whose nodes nothing is said',
      [['operators:', 'operator:']],
      ['MACH1012 15:1'],
      'did you mean operators?',
    ],
    ['an unknown operator', [['    filter:', '    fliter:']], ['MACH1103 18:5'], 'did you mean filter?'],
    ['a sink among operators', [['    filter:', '    table:']], ['MACH1104 18:5'], 'move the entry to sinks'],
    [
      'two in one entry',
      [['    description: only', '    map: {}\n    description: only']],
      ['MACH1015 19:5'],
      'one entry is one operator',
    ],
    [
      'none in an entry',
      [['adt:\n    visits: { listen: 2575, token: "${env:TOKEN}" }', 'adt:']],
      ['MACH1015 7:3'],
      'does not say which source',
    ],
    ['a misspelt shared key', [['idle: 2m', 'idel: 2m']], ['MACH1012 9:5'], 'did you mean idle?'],
    ['a missing option', [['listen: 2575, ', '']], ['MACH1016 8:5'], 'option listen of visits is missing'],
    ['an unknown option', [['listen: 2575', 'listen: 2575, mdoe: strict']], ['MACH1017 8:29'], 'did you mean mode?'],
    ['an option of the wrong type', [['2575', 'port']], ['MACH1018 8:23'], '"port" is not a whole number'],
    ['a number out of range', [['2575', '70000']], ['MACH1018 8:23'], 'at most 65535'],
    ['none of the values', [['format: csv', 'format: cvs']], ['MACH1018 13:47'], 'did you mean csv?'],
    ['a bad duration', [['sliding: 10m', 'sliding: 10 min']], ['MACH1019 25:26'], 'did you mean 10m?'],
    ['a duration without a unit', [['idle: 2m', 'idle: 120']], ['MACH1019 9:11'], 'did you mean 120s?'],
    ['a bad size', [['listen: 2575', 'listen: 2575, frame: 16 MB']], ['MACH1019 8:36'], 'did you mean 16MiB?'],
    ['a key of a choice misspelt', [['every: 1m', 'evry: 1m']], ['MACH1017 25:31'], 'did you mean every?'],
    [
      'a durability that is none',
      [['durability: broker', 'durability: disc']],
      ['MACH1018 11:17'],
      'did you mean disk?',
    ],
    [
      'a setting in the wrong place',
      [['listen: 2575', 'listen: 2575, idle: 2m']],
      ['MACH1017 8:29'],
      'idle stands beside visits',
    ],
    [
      'a value with a message of its own',
      [['table: ed_status', 'table: ED-status']],
      ['MACH1018 41:41'],
      'named by lower-case letters',
    ],
    ['a bad id', [['  waiting:\n', '  Waiting:\n']], ['MACH1101 16:3', 'MACH1105 23:13'], 'did you mean waiting?'],
    ['an id taken in another section', [['  late:', '  waiting:']], ['MACH1102 42:3'], 'line 16 has an operator'],
    [
      'an id twice in a section',
      [['  with_beds:', '  waiting:']],
      ['MACH1009 26:3', 'MACH1105 33:13'],
      'first in line 16',
    ],
    ['an unknown node', [['from: waiting', 'from: wating']], ['MACH1105 23:13'], 'did you mean waiting (line 16)?'],
    ['an unknown port', [['per_hospital.late', 'per_hospital.lat']], ['MACH1106 42:27'], 'did you mean late?'],
    ['a sink as input', [['left: per_hospital', 'left: status']], ['MACH1108 28:13'], 'nothing comes out of it'],
    [
      'an input that is no name',
      [['from: waiting', 'from: "waiting room"']],
      ['MACH1110 23:13'],
      'cannot name an input',
    ],
    [
      'an input twice',
      [['[per_hospital.late]', '[per_hospital.late, per_hospital.late]']],
      ['MACH1111 42:46'],
      'stands twice',
    ],
    ['a circle', [['from: adt', 'from: per_hospital']], ['MACH1107 19:13'], 'waiting -> per_hospital -> waiting'],
    ['a node that reads itself', [['from: adt', 'from: waiting']], ['MACH1107 19:13'], 'waiting -> waiting'],
    [
      'an unknown field in an expression',
      [['department ==', 'departmnt ==']],
      ['MACH1203 20:34'],
      '"departmnt" is not a field of adt',
    ],
    [
      'types that do not fit',
      [['department == "ED"', 'minutes_waiting == "ED"']],
      ['MACH1211 20:34'],
      'cannot be compared',
    ],
    ['an expression that is none', [['department == "ED"', 'department == ']], ['MACH1210 20:46'], 'cannot be read'],
    [
      'a field that is none',
      [['on: hospital', 'on: hosptal']],
      ['MACH1250 30:11', 'MACH1250 30:11'],
      'did you mean hospital?',
    ],
    [
      'fields that are no list',
      [['key: hospital', 'key: hospital, department']],
      ['MACH1250 24:12'],
      'a list is written [hospital, department]',
    ],
    ['a missing environment variable', [['${env:TOKEN}', '${env:TOKN}']], ['MACH1401 8:37'], 'did you mean TOKEN?'],
    ['a missing file', [['${env:TOKEN}', '${file:absent}']], ['MACH1402 8:37'], 'it does not exist'],
    ['a reference of no kind', [['${env:TOKEN}', '${evn:TOKEN}']], ['MACH1403 8:37'], 'did you mean ${env:TOKEN}?'],
    [
      'a reference in a key',
      [['  waiting:\n', '  "${env:TOKEN}":\n']],
      ['MACH1101 16:3', 'MACH1105 23:13', 'MACH1404 16:3'],
      'not in the key',
    ],
  ];
  it.each(cases)('%s', (_, changes, errors, message) => {
    const text = change(...changes);
    expect(errorsOf(text).sort()).toEqual([...errors].sort());
    expect(load(text).diagnostics.map(formatOneLine).join('\n').toLowerCase()).toContain(message.toLowerCase());
  });

  it('warns of what nothing reads, and goes on', () => {
    const { topology, diagnostics } = load(change(['from: load', 'from: with_beds']));
    expect(topology).toBeDefined();
    expect(diagnostics.map(place)).toEqual(['MACH1109 31:3']);
    expect(diagnostics[0]?.severity).toBe('warning');
  });

  it('does not call unused what a node with errors reads', () => {
    const { diagnostics } = load(change(['    filter:', '    fliter:'], ['from: load', 'from: with_beds']));
    expect(diagnostics.map(({ severity }) => severity)).toEqual(['error']);
  });

  it('says nothing about what depends on a node that is not understood', () => {
    expect(errorsOf(change(['    filter:', '    fliter:']))).toHaveLength(1);
    expect(errorsOf(change(['folder: ${env:BED_FILES}', 'folder: 3']))).toHaveLength(1);
  });

  it('finds mistakes in an expression of several lines', () => {
    const [diagnostic] = load(change(['/ beds', '/ bedz'])).diagnostics;
    expect(diagnostic).toMatchObject({ code: 'MACH1203', line: 38, column: 13, length: 4 });
    const literal = change([
      'load: >-\n          count * 1.0\n          / beds',
      'load: |\n          count * 1.0\n\n            / bedz',
    ]);
    expect(load(literal).diagnostics[0]).toMatchObject({ line: 39, column: 15 });
    const quoted = change([
      'when: kind == "arrival" && department == "ED"',
      'when: "kind == \\"arrival\\" && departmnt == \\u0022ED\\u0022"',
    ]);
    expect(load(quoted).diagnostics[0]).toMatchObject({ line: 20, column: 37, length: 9 });
    const single = change([
      'when: kind == "arrival" && department == "ED"',
      "when: 'kind == ''arrival'' && departmnt == ''ED'''",
    ]);
    expect(load(single).diagnostics[0]).toMatchObject({ line: 20, column: 37, length: 9 });
  });

  it('reports twenty mistakes of one file at once, in the order of the file', () => {
    const text = `version: 3
name: Twenty Mistakes
color: red
sources:
  adt:
    visits: { listen: many, mode: strickt, extra: 1 }
    idle: 5 minutes
    durability: paper
  Beds: { beds: { folder: \${env:ABSENT} } }
  calls: { vists: { listen: 1 } }
operators:
  a: { filter: { from: adt, when: kindd == "arrival" && minutes_waiting > "4" } }
  b: { fillter: { from: adt } }
  c: { filter: { from: nobody, when: "true" } }
  d: { filter: { from: e, when: "true" } }
  e: { filter: { from: d, when: "true" } }
  f: { count: { from: a, key: hospitl, window: { tumbling: 5x } } }
  g: { map: { from: adt, values: { x: minutes_waiting +, y: sizee(kind) } } }
sinks:
  a: { table: { from: f, table: t } }
  b2: { table: { from: a.lat, table: T } }
  out: { table: { table: t } }
`;
    const { diagnostics } = load(text);
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    expect(errors.length).toBeGreaterThanOrEqual(20);
    const places = diagnostics.map(({ line, column }) => line * 1000 + column);
    expect(places).toEqual([...places].sort((x, y) => x - y));
    expect(errors.map(place)).toEqual([
      'MACH1011 1:10',
      'MACH1013 2:7',
      'MACH1012 3:1',
      'MACH1018 6:23',
      'MACH1018 6:35',
      'MACH1017 6:44',
      'MACH1019 7:11',
      'MACH1018 8:17',
      'MACH1101 9:3',
      'MACH1401 9:27',
      'MACH1103 10:12',
      'MACH1203 12:35',
      'MACH1211 12:75',
      'MACH1103 13:8',
      'MACH1105 14:24',
      'MACH1107 15:24',
      'MACH1250 17:31',
      'MACH1019 17:60',
      'MACH1210 18:55',
      'MACH1212 18:61',
      'MACH1102 20:3',
      'MACH1106 21:24',
      'MACH1018 21:38',
      'MACH1016 22:10',
    ]);
  });

  it('shows at most limits.diagnosticsMax problems', () => {
    const ids = Array.from({ length: 300 }, (_, index) => `  n${index}: { fliter: {} }`);
    const { diagnostics } = load(change(['operators:', `operators:\n${ids.join('\n')}`]));
    expect(diagnostics).toHaveLength(200);
    expect(diagnostics.at(-1)).toMatchObject({ code: 'MACH1021', message: expect.stringContaining('101 further') });
  });
});
