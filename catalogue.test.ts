/** The catalogue as a whole: what no part of it can promise alone. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { Ajv } from 'ajv';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { catalogue, errorLists } from './catalogue.ts';
import { clickhouse } from './connectors/clickhouse/index.ts';
import { hl7Mllp } from './connectors/hl7-mllp/index.ts';
import { filter } from './operators/filter.ts';
import { runtimeErrorLists } from './runtime/cli/error-lists.ts';
import { main } from './runtime/cli/main.ts';
import { writeStarter } from './runtime/cli/starter.ts';
import { describeMessage } from './runtime/errors.ts';
import { bindTopology } from './runtime/topology/bind.ts';
import { type EventsOf, topology } from './runtime/topology/builder.ts';
import { topologyJsonSchema } from './runtime/topology/json-schema.ts';
import { loadTopology } from './runtime/topology/load.ts';
import { parseTopology } from './runtime/topology/parse.ts';
import { readYaml } from './runtime/topology/yaml-text.ts';

async function mach(...argv: string[]) {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const code = await main(argv, {
    version: '0',
    env: {},
    stdout,
    stderr,
    loadCatalogue: async () => ({ catalogue, errorLists }),
  });
  const read = (stream: PassThrough) => (stream.read() as Buffer | null)?.toString() ?? '';
  return { code, out: read(stdout), err: read(stderr) };
}

const testData = process.env.MACH_TEST_DATA ?? resolve('../shared/data');
const validate = new Ajv({ allErrors: true, strict: false, validateFormats: false }).compile(
  topologyJsonSchema(catalogue),
);

describe('the catalogue', () => {
  it('has each name once in its section', () => {
    for (const section of [catalogue.sources, catalogue.operators, catalogue.sinks]) {
      const names = section.map(({ name }) => name);
      expect(names).toEqual([...new Set(names)]);
    }
  });

  it('has each error code once, and something to say about each', () => {
    const lists = [...runtimeErrorLists, ...errorLists];
    const codes = lists.flatMap((list) => Object.keys(list));
    expect(codes).toEqual([...new Set(codes)]);
    for (const { message, help } of lists.flatMap((list) => Object.values(list))) {
      expect(message.length).toBeGreaterThan(0);
      expect(help.length).toBeGreaterThan(20);
    }
  });

  it('has errors of which every text can be read without values', () => {
    for (const { message, help } of [...runtimeErrorLists, ...errorLists].flatMap((list) => Object.values(list))) {
      expect(describeMessage(message)).not.toMatch(/\{\w+\}/);
      // Help is for everybody who meets the code: nothing of one case is filled in.
      const ownPlaces = (message.match(/\{\w+\}/g) ?? []).filter((place) => help.includes(place));
      expect({ message, ownPlaces }).toEqual({ message, ownPlaces: [] });
    }
  });
});

describe('the topologies of this repository', () => {
  const files = readdirSync('topologies').filter((file) => /^[^.]+\.yaml$/.test(file));

  it.each(files)('%s is right, for mach and for an editor', (file) => {
    const path = join('topologies', file);
    expect(loadTopology(path, { catalogue, env: {} }).diagnostics).toEqual([]);
    const { value } = readYaml(readFileSync(path, 'utf8'), path);
    validate(value);
    expect(validate.errors ?? []).toEqual([]);
  });

  it('pass the tests that lie beside them', async () => {
    const { code, out, err } = await mach('test', 'topologies');
    expect(code, out + err).toBe(0);
    expect(out).toContain('all passed');
  });
});

describe('mach init', () => {
  const chains = catalogue.sources.flatMap((source) =>
    catalogue.sinks.map((sink) => [source.name, sink.name] as const),
  );

  /** Problems of what is written for these words, and the options of its nodes. */
  function written(...words: string[]) {
    const { text, problem } = writeStarter(words, { catalogue, name: 'start', schemaPath: 'x.json' });
    expect(problem).toBeUndefined();
    const { ir, places, broken, diagnostics } = parseTopology(text ?? '', 'start.yaml', catalogue);
    if (!ir) throw new Error('not a topology');
    const bound = bindTopology(ir, { catalogue, places, broken, diagnostics, env: {} });
    // A secret that the example takes from the environment is for the reader to set.
    return { text: text ?? '', problems: bound.diagnostics.filter(({ code }) => code !== 'MACH1401') };
  }

  it.each(chains)('%s -> filter -> %s gives a topology that is right', (source, sink) => {
    expect(written(source, 'filter', sink).problems).toEqual([]);
  });

  // The others want fields that only one source has, and say so.
  const wantsMuch = ['ed-census', 'rank-hospitals', 'ambulance-load'];
  const takesAny = catalogue.operators.map(({ name }) => name).filter((name) => !wantsMuch.includes(name));
  it.each(takesAny)('hl7-mllp -> %s -> alert -> console gives a topology that is right', (operator) => {
    expect(written('hl7-mllp', operator, 'alert', 'console').problems).toEqual([]);
  });

  it('raises an alert by a number where there is one', () => {
    expect(written('hl7-mllp', 'aggregate', 'alert', 'console').text).toContain('raise: patients > 10\n');
  });

  it.each(catalogue.sources.map(({ name }) => name))('%s -> aggregate: no name stands for something else', (source) => {
    const { text } = writeStarter([source, 'aggregate', 'console'], { catalogue, name: 'start', schemaPath: 'x.json' });
    const { operators } = readYaml(text ?? '', 'start.yaml').value as {
      operators: { aggregate: { aggregate: { values: unknown } } };
    };
    // No source has the waits that the example takes the longest of.
    expect(operators.aggregate.aggregate.values).toEqual({ patients: 'count()' });
  });
});

describe('the builder', () => {
  it('types the events of real sources', () => {
    const rooms = topology('rooms');
    const adt = rooms.source('adt', hl7Mllp, { listen: 2575 }, { idle: '2m' });
    const arrivals = rooms.operator('arrivals', filter, { from: adt, when: 'kind == "arrival"' });
    rooms.sink('out', clickhouse, { from: arrivals, table: 'arrivals', order_by: 'hospital' });
    expectTypeOf<EventsOf<typeof arrivals>>().toEqualTypeOf<EventsOf<typeof adt>>();
    expectTypeOf<EventsOf<typeof arrivals>['hospital']>().toEqualTypeOf<string>();
    expectTypeOf<EventsOf<typeof arrivals>['patient_id']>().toEqualTypeOf<string | null>();
    // @ts-expect-error not a field of these events
    expectTypeOf<EventsOf<typeof arrivals>['pulse']>().toEqualTypeOf<number>();
    expect(rooms.load({ env: {} }).diagnostics).toEqual([]);
  });
});

describe('mach decode', () => {
  it('prints the events of a message', async () => {
    const file = join(testData, 'hl7v2', 'messages', 'ADT-A03-01.hl7');
    const { code, out } = await mach('decode', 'hl7-mllp', file);
    expect(code).toBe(0);
    const [line] = out
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text));
    expect(line).toMatchObject({ file, event: { message_type: 'ADT', trigger: 'A03' } });
  });

  it('prints a dead letter for what is none, and ends with 1', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mach-decode-'));
    try {
      const file = join(folder, 'noise.hl7');
      writeFileSync(file, new Uint8Array([0xff, 0x00, 0x0b, 0x1c, 0x0d, 0x41]));
      const { code, out } = await mach('decode', 'hl7-mllp', file);
      expect(code).toBe(1);
      const lines = out
        .trim()
        .split('\n')
        .map((text) => JSON.parse(text));
      expect(lines[0]).toMatchObject({
        file,
        dead_letter: { code: expect.stringMatching(/^MACH\d{4}$/), reason: expect.any(String) },
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('refuses what it does not know, with the reason', async () => {
    expect(await mach('decode', 'hl7-mlp', 'x')).toMatchObject({
      code: 2,
      err: expect.stringContaining('Did you mean hl7-mllp?'),
    });
    expect(await mach('decode', 'hl7-mllp', 'absent.hl7')).toMatchObject({
      code: 2,
      err: expect.stringContaining('it does not exist'),
    });
    expect(await mach('decode', 'hl7-mllp', 'x', '--options', '{')).toMatchObject({
      code: 2,
      err: expect.stringContaining('not JSON'),
    });
    expect(await mach('decode', 'hl7-mllp', 'x', '--options', '{"lissten":1}')).toMatchObject({
      code: 2,
      err: expect.stringContaining('did you mean listen?'),
    });
  });
});
