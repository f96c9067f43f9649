import { describe, expect, it } from 'vitest';
import { diagnosticsToJson } from './diagnostic.ts';
import { explainPlan } from './explain.ts';
import { formatGraph, graphFormats } from './graph.ts';
import { loadTopology } from './load.ts';
import { planTopology } from './plan.ts';
import { formatFrames, formatOneLine } from './print-diagnostics.ts';
import { createSecretSet } from './redactor.ts';
import { fromText, goodTopology, testCatalogue, testEnvironment } from './test-catalogue.ts';

function load(text: string, env: Record<string, string>) {
  return loadTopology('t.yaml', {
    catalogue: testCatalogue,
    env: { ...testEnvironment, ...env },
    readFile: fromText(text),
  });
}

/** Everything that is ever printed of a loaded topology. */
function printed(text: string, env: Record<string, string>): string {
  const { topology, diagnostics } = load(text, env);
  const parts = [
    diagnostics.map(formatOneLine).join('\n'),
    formatFrames(diagnostics, { sources: new Map([['t.yaml', text]]) }),
    JSON.stringify(diagnosticsToJson(diagnostics)),
  ];
  if (topology) {
    const plan = topology.redactor.redactValue(planTopology(topology));
    parts.push(JSON.stringify(topology.ir), JSON.stringify(plan), explainPlan(plan));
    parts.push(...graphFormats.map((format) => formatGraph(topology.ir, format)));
  }
  return parts.join('\n');
}

describe('values of references', () => {
  it('reach the options, and nothing that is printed', () => {
    const { topology } = load(goodTopology, {});
    expect(topology?.sources[0]?.options).toMatchObject({ token: testEnvironment.TOKEN });
    expect(printed(goodTopology, {})).not.toContain(testEnvironment.TOKEN);
  });

  it.each([
    ['a wrong type', 'listen: 2575', 'listen: "${env:SECRET}"'],
    ['a value that is none of those allowed', 'format: csv', 'format: ${env:SECRET}'],
    ['a bad duration', 'idle: 2m', 'idle: ${env:SECRET}'],
    ['a bad duration with text around it', 'sliding: 10m', 'sliding: "x${env:SECRET}y"'],
    ['an input', 'left: per_hospital', 'left: ${env:SECRET}'],
    ['a field', 'on: hospital', 'on: ${env:SECRET}'],
    ['an expression', 'when: kind ==', 'when: ${env:SECRET} =='],
    ['a text in an expression', 'department == "ED"', 'department == "${env:SECRET}" + 1'],
    ['a name of a table', 'table: ed_status', 'table: ${env:SECRET}'],
  ])('are not in the message about %s', (_, from, to) => {
    expect(goodTopology).toContain(from);
    const text = goodTopology.replace(from, () => to);
    for (const secret of ['hunter2-hunter2', 'a "quoted\\ one"', `long ${'x1'.repeat(200)}`, 'two\nlines']) {
      const output = printed(text, { SECRET: secret });
      expect(load(text, { SECRET: secret }).topology).toBeUndefined();
      for (const form of [secret, JSON.stringify(secret).slice(1, -1), secret.slice(0, 40)]) {
        if (form.length > 4) expect(output).not.toContain(form);
      }
    }
  });

  it('are taken out of logs also when the file has them in clear', () => {
    const { topology } = load(goodTopology.replace('${env:TOKEN}', 'written-in-clear'), {});
    expect(topology?.redactor.redact('token written-in-clear refused')).toBe('token (secret) refused');
  });

  it('may be numbers and true or false where the option wants that', () => {
    const text = goodTopology.replace('listen: 2575', 'listen: ${env:PORT}');
    expect(load(text, { PORT: '2576' }).topology?.sources[0]?.options).toMatchObject({ listen: 2576 });
    const diagnostics = load(text, { PORT: 'high' }).diagnostics;
    expect(diagnostics.map(formatOneLine)).toEqual([
      'MACH1018 t.yaml:8:23  option listen: "${env:PORT}" is not a whole number',
    ]);
  });

  it('may come from a file, without its last line break, and be a part of a text', () => {
    const files = new Map([
      ['t.yaml', goodTopology.replace('${env:TOKEN}', 'Bearer ${file:token} $${x}')],
      [new URL('token', `file://${process.cwd()}/`).pathname, 'from-a-file\n'],
    ]);
    const readFile = (path: string) => new TextEncoder().encode(files.get(path) ?? 'absent');
    const { topology } = loadTopology('t.yaml', { catalogue: testCatalogue, env: testEnvironment, readFile });
    expect(topology?.sources[0]?.options).toMatchObject({ token: 'Bearer from-a-file ${x}' });
    expect(topology?.redactor.redact('token from-a-file')).toBe('token ${file:token}');
  });
});

describe('the redactor', () => {
  it('takes out the longest secret first, wherever it stands', () => {
    const secrets = createSecretSet();
    secrets.add('secret', '${env:A}');
    secrets.add('secret-long', '${env:B}');
    expect(secrets.redact('secret-long and secret')).toBe('${env:B} and ${env:A}');
    expect(secrets.redactValue({ a: ['x secret'], secret: 1 })).toEqual({ a: ['x ${env:A}'], '${env:A}': 1 });
  });

  it('leaves texts alone that are too short to be secrets', () => {
    const secrets = createSecretSet();
    secrets.add('1', '${env:A}');
    expect(secrets.redact('line 1')).toBe('line 1');
  });
});
