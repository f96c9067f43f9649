/** Every command with arguments that are wrong: what it says, and the exit code of `docs/command-line.md`. Nothing is started. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goodTopology, testCatalogue, testEnvironment } from '../topology/test-catalogue.ts';
import { main } from './main.ts';

const testOfGood = `topology: good.yaml
tests:
  - name: time passes
    start: 2026-03-02T07:00:00+07:00
    steps: [{ advance: 1s }]
`;

let folder: string;
let closedPort: number;

beforeAll(async () => {
  closedPort = await portOfNobody();
  folder = mkdtempSync(join(tmpdir(), 'mach-cli-wrong-'));
  mkdirSync(join(folder, 'a-folder'));
  writeFileSync(join(folder, 'good.yaml'), goodTopology);
  writeFileSync(join(folder, 'tested.test.yaml'), testOfGood);
  writeFileSync(join(folder, 'empty.yaml'), '');
  writeFileSync(join(folder, 'bytes.yaml'), Buffer.from([0, 255, 254, 1]));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function portOfNobody(): Promise<number> {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** `PORT`: one at which nobody listens. `@name`: a file in the folder of the test. */
async function mach(line: string) {
  const read = (stream: PassThrough) => (stream.read() as Buffer | null)?.toString() ?? '';
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const loadCatalogue = async () => ({ catalogue: testCatalogue, errorLists: [] });
  const words = line.split(' ').map((word) => word.replace(/^@/, `${folder}/`).replace('PORT', String(closedPort)));
  const env = { ...testEnvironment, NATS_URL: undefined, CLICKHOUSE_URL: undefined };
  const code = await main(words, { version: '1', env, stdout, stderr, loadCatalogue });
  return { code, said: `${read(stdout)}${read(stderr)}`.replaceAll(folder, '@') };
}

/** Commands that take a topology file, with the rest of their line. */
const withFile = [
  'check FILE',
  'graph FILE',
  'explain FILE',
  'run FILE --data @data',
  'plan FILE @good.yaml',
  'plan @good.yaml FILE',
  'plan live FILE --data @data',
  'rescale FILE --partitions 2 --data @data',
  'replay FILE --data @data',
  'replay @good.yaml --with FILE --data @data',
  'checkpoint save FILE friday --data @data',
  'checkpoint list FILE --data @data',
  'checkpoint restore FILE friday --data @data',
  'checkpoint delete FILE friday --data @data',
  'dead-letter list FILE --data @data',
  'dead-letter show FILE abcd --data @data',
  'dead-letter redrive FILE --all --data @data',
  'why rows id=1 --topology FILE --data @data',
];

describe.each([
  ['@absent.yaml', 2, 'MACH1001 @/absent.yaml:1:1  the file cannot be read: it does not exist'],
  ['@a-folder', 2, 'MACH1001 @/a-folder:1:1  the file cannot be read: it is a folder'],
  ['@empty.yaml', 1, 'MACH1004 @/empty.yaml:1:1  the file is empty'],
  ['@bytes.yaml', 1, 'MACH1002 @/bytes.yaml:1:2  the file is not UTF-8 text'],
] as const)('the file %s ends with %i', (file, code, words) => {
  // The files in a folder are what it checks.
  const takesFolders = (line: string) => line.startsWith('check');
  const lines = withFile.filter((line) => file !== '@a-folder' || !takesFolders(line));
  it.each(lines)('mach %s', async (line) => {
    const ended = await mach(line.replace('FILE', file));
    expect(ended.said).toContain(words);
    expect(ended.code).toBe(code);
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });
});

it('mach check of a folder without topologies ends with 2', async () => {
  const { code, said } = await mach('check @a-folder');
  expect({ code, said }).toEqual({
    code: 2,
    said: expect.stringContaining('the file @/a-folder cannot be read: a folder without topology files'),
  });
});

it.each([
  // What is missing, unknown or too much.
  ['chek', 2, 'Did you mean check?'],
  ['check', 2, "missing required argument 'file'"],
  ['run', 2, "missing required argument 'file'"],
  ['run @good.yaml @good.yaml', 2, 'too many arguments'],
  ['run @good.yaml --observ 1', 2, 'Did you mean --observe?'],
  ['plan @good.yaml', 2, "missing required argument 'new'"],
  ['replay --data @data', 2, 'MACH1634  it is not said what is replayed'],
  ['diff @good.yaml', 2, "missing required argument 'shadow'"],
  ['checkpoint save @good.yaml', 2, "missing required argument 'name'"],
  ['checkpoint nonsense', 2, "unknown command 'nonsense'"],
  ['dead-letter redrive @good.yaml --data @data', 2, 'MACH1632  it is not said which dead letters go in again'],
  ['why --data @data', 2, "missing required argument 'result'"],
  [
    'why --open rows --data @data',
    2,
    'MACH1662  which key of rows? --open wants a node and a key: mach why --open rows KEY',
  ],
  ['tap', 2, "missing required argument 'edge'"],
  ['rescale @good.yaml --data @data', 2, "required option '--partitions <count>' not specified"],
  ['list nope', 2, 'MACH1601  the name "nope" is not known'],
  ['help nope', 2, 'MACH1601  the command "nope" is not known'],
  ['help MACH9999', 2, 'MACH1602  there is no error with the code MACH9999'],
  ['decode nope @good.yaml', 2, 'MACH1601  the source "nope" is not known'],
  ['test @absent.test.yaml', 2, 'MACH1605  the file @/absent.test.yaml cannot be read: it does not exist'],
  ['test @a-folder', 2, 'MACH1513  no tests were found in @/a-folder'],
  ['test @good.yaml', 2, 'MACH1513  no tests were found in @/good.yaml'],
  ['test @tested.test.yaml --only nothing', 2, 'MACH1516  no test has "nothing" in its name'],
  // Values that an option does not take.
  [
    'run @good.yaml --data @data --for soon',
    2,
    'MACH1620  --for does not take "soon"; it takes a duration with its unit, such as 30s or 5m',
  ],
  ['run @good.yaml --data @data --for -3s', 2, 'MACH1620  --for does not take "-3s"'],
  ['run @good.yaml --data @data --clock-rate fast', 2, 'MACH1620  --clock-rate does not take "fast"'],
  ['run @good.yaml --data @data --clock-start noon', 2, 'MACH1620  --clock-start does not take "noon"'],
  [
    'run @good.yaml --data @data --observe x:y',
    2,
    'MACH1620  --observe does not take "x:y"; it takes a port, or an address such as 127.0.0.1:8080',
  ],
  ['run @good.yaml --data @data --workers 0', 2, 'MACH1620  --workers does not take "0"'],
  [
    'run @good.yaml --data @data --partitions 1.5',
    2,
    'MACH1620  --partitions does not take "1.5"; it takes a whole number from 1 to 64',
  ],
  ['run @good.yaml --data @data --replicas 9', 2, 'MACH1620  --replicas does not take "9"'],
  ['run @good.yaml --data @data --log loud', 2, 'Allowed choices are debug, info, warn, error'],
  ['run @good.yaml --data @empty.yaml', 2, 'MACH1635  the data folder @/empty.yaml cannot be used: a file is in the'],
  [
    'run @good.yaml --data /dev/null/data',
    2,
    'MACH1635  the data folder /dev/null/data cannot be used: a file is in the',
  ],
  [
    'plan @good.yaml @good.yaml --accept-loss per_hospitl',
    2,
    'MACH1636  --accept-loss names "per_hospitl", which is no',
  ],
  ['plan @good.yaml @good.yaml --accept-loss per_hospitl', 2, 'Did you mean per_hospital?'],
  ['replay @good.yaml --from yesterday --data @data', 2, 'MACH1620  --from does not take "yesterday"'],
  ['replay @good.yaml --until soon --data @data', 2, 'MACH1620  --until does not take "soon"'],
  ['replay @good.yaml --into Friday --data @data', 2, 'MACH3234  "Friday" is not a name for a shadow'],
  ['diff @good.yaml friday --limit many --data @data', 2, 'MACH1620  --limit does not take "many"'],
  ['dead-letter list @good.yaml --since soon --data @data', 2, 'MACH1620  --since does not take "soon"'],
  ['dead-letter list @good.yaml --limit x --data @data', 2, 'MACH1620  --limit does not take "x"'],
  ['dead-letter redrive @good.yaml --all --since soon --data @data', 2, 'MACH1620  --since does not take "soon"'],
  ['dead-letter redrive @good.yaml --all --wait long --data @data', 2, 'MACH1620  --wait does not take "long"'],
  ['dead-letter redrive @good.yaml --all --rate 0 --data @data', 2, 'MACH1620  --rate does not take "0"'],
  ['why rows id=1 --messages x --topology @good.yaml --data @data', 2, 'MACH1620  --messages does not take "x"'],
  ['why rows id=1 --reveal --topology @good.yaml --data @data', 2, 'MACH1661  it needs a reason, in words'],
  ['rescale @good.yaml --partitions x --data @data', 2, 'MACH1620  --partitions does not take "x"'],
  ['top --interval often --data @data', 2, 'MACH1620  --interval does not take "often"'],
  ['top --url nonsense', 2, 'MACH1620  --url does not take "nonsense"'],
  ['tap rows --limit few --data @data', 2, 'MACH1620  --limit does not take "few"'],
  ['tap rows --url nonsense', 2, 'MACH1620  --url does not take "nonsense"'],
  ['why --open rows key --url nonsense', 2, 'MACH1620  --url does not take "nonsense"'],
  ['graph @good.yaml --format png', 2, 'Allowed choices are mermaid, dot, json'],
  ['explain @good.yaml --partitions x', 2, 'a whole number from 1 to 64 is needed'],
  ['decode visits @good.yaml --options {', 2, 'MACH1604  the options given are wrong: not JSON'],
  // Where nothing is.
  ['top --data @data', 2, 'MACH1621  it is not clear which engine is meant: none runs here (data folder @/data)'],
  ['tap rows --data @data', 2, 'MACH1621  it is not clear which engine is meant: none runs here'],
  ['why rows id=1 --data @data', 2, 'MACH1660  it is not clear which topology is meant'],
  ['replay @good.yaml --data @data', 2, 'MACH1630  there is no log in the data folder @/data'],
  ['rescale @good.yaml --partitions 2 --data @data', 2, 'MACH1630  there is no log in the data folder @/data'],
  ['plan live @good.yaml --data @data', 2, 'MACH1625  there is no version to compare with'],
  ['schema --output @a-folder', 2, 'MACH1606  the file @/a-folder cannot be written: it is a folder'],
  ['init visits table --file @a-folder', 2, 'MACH1606  the file @/a-folder cannot be written: it is a folder'],
  ['init visits table --file @empty.yaml', 2, 'MACH1606  the file @/empty.yaml cannot be written: it exists already'],
  ['init visits table --file @empty.yaml/x.yaml', 2, 'cannot be written: a file is in the place of a folder'],
  // Something does not answer: that is no mistake of the command line.
  ['top --url http://127.0.0.1:PORT', 3, 'does not answer: connect ECONNREFUSED'],
  ['tap rows --url http://127.0.0.1:PORT', 3, 'does not answer: connect ECONNREFUSED'],
  ['why --open rows key --url http://127.0.0.1:PORT', 3, 'does not answer: connect ECONNREFUSED'],
])('mach %s ends with %i: %s', async (line, code, words) => {
  const ended = await mach(line);
  expect(ended.said).toContain(words);
  expect(ended.code).toBe(code);
  expect(existsSync(join(folder, 'data'))).toBe(false);
});

it('mach check ends with 1 where it found mistakes, also when another file cannot be read', async () => {
  expect((await mach('check @empty.yaml @absent.yaml @good.yaml')).code).toBe(1);
  expect((await mach('check @good.yaml @absent.yaml')).code).toBe(2);
});
