/** Who is compared: what each promises while it is measured, and how its process is built and started. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { heapFlags, programArguments } from '../machine.ts';

export interface Contender {
  readonly name: string;
  readonly title: string;
  /** The engine itself: of several the better one is quoted. */
  readonly isOwn?: true;
  /** What a comparison must say of it: what survives a crash, how often state is kept, where it stands, how many workers. */
  readonly delivery: string;
  readonly checkpoints: string;
  readonly state: string;
  readonly workers: string;
  /** Told to the process with every request. */
  readonly request?: Readonly<Record<string, unknown>>;
  readonly command: readonly [program: string, ...args: string[]];
  /** Programs without which it cannot be built or run. */
  readonly needs: readonly string[];
  readonly build?: { readonly command: readonly [program: string, ...args: string[]]; readonly makes: string };
  /** The file that pins its version, and where in it. */
  readonly version?: readonly [file: string, pattern: RegExp];
  /** Folder of its build. */
  readonly folder: string;
  /** Can be measured over events that are there already. */
  readonly takesObjects?: true;
  /** It has no generator of its own: it gets a file of the events. `beforehand`: it reads it before its clock starts. */
  readonly lines?: 'beforehand' | 'timed';
  /** A slow one is timed over fewer events; the rate is what counts. */
  readonly eventsMax?: number;
  /** Of queries in which it is much slower than in others. */
  readonly eventsMaxOf?: Readonly<Record<string, number>>;
}

const peers = fileURLToPath(new URL('../peers/', import.meta.url));
const own = (name: string): Contender['command'] => [process.execPath, ...programArguments(`peers/${name}/main.ts`)];

const flink: Omit<Contender, 'name' | 'title' | 'state' | 'request'> = {
  delivery: 'exactly once within the job; the sink counts',
  checkpoints: 'every 10 s, aligned, to a local folder',
  workers: '2 subtasks, one JVM',
  version: [`${peers}flink/pom.xml`, /<flink\.version>([^<]+)</],
  // Its patterns give some ten thousand events/s.
  eventsMaxOf: { p0: 20_000, p1: 20_000, p2: 20_000, p3: 20_000 },
  command: [`${peers}flink/run.sh`],
  needs: ['java', 'mvn'],
  build: { command: ['mvn', '-B', '-q', 'package'], makes: 'target/flink-peer-1.jar' },
  folder: `${peers}flink`,
};

export const contenders: readonly Contender[] = [
  {
    name: 'mach',
    title: 'Mạch',
    delivery: 'exactly once, through a log in memory before and after the stage',
    checkpoints: 'every 10 s, to the log in memory',
    state: 'heap',
    workers: '1 thread',
    isOwn: true,
    command: own('mach'),
    needs: [],
    folder: `${peers}mach`,
    takesObjects: true,
  },
  {
    name: 'mach-2',
    title: 'Mạch, 2 workers',
    delivery: 'exactly once, through a log in memory of each worker before and after its stage',
    checkpoints: 'every 10 s, to the log in memory',
    state: 'none: queries without state alone',
    workers: '2 processes of 1 thread, each with its share of the stream',
    isOwn: true,
    request: { workers: 2 },
    command: own('mach'),
    needs: [],
    folder: `${peers}mach`,
  },
  { name: 'flink', title: 'Flink, heap', state: 'heap', request: { state: 'heap' }, ...flink },
  {
    ...flink,
    name: 'flink-rocksdb',
    title: 'Flink, RocksDB',
    state: 'RocksDB',
    request: { state: 'rocksdb' },
    eventsMax: 200_000,
  },
  {
    name: 'jet',
    title: 'Hazelcast Jet',
    delivery: 'exactly once within the job; the sink counts',
    checkpoints: 'every 10 s, to memory of the member',
    state: 'heap',
    workers: '2 cooperative threads, one JVM',
    version: [`${peers}jet/pom.xml`, /<hazelcast\.version>([^<]+)</],
    command: [`${peers}jet/run.sh`],
    needs: ['java', 'mvn'],
    build: { command: ['mvn', '-B', '-q', 'package'], makes: 'target/jet-peer-1.jar' },
    folder: `${peers}jet`,
  },
  {
    name: 'rxjs',
    title: 'RxJS per event',
    delivery: 'none: a crash loses all',
    checkpoints: 'none',
    state: 'heap',
    workers: '1 thread',
    version: [fileURLToPath(new URL('../../package.json', import.meta.url)), /"rxjs": "([^"]+)"/],
    command: own('rxjs'),
    needs: [],
    folder: `${peers}rxjs`,
    takesObjects: true,
  },
  {
    name: 'loop',
    title: 'hand-written loop',
    delivery: 'none: a crash loses all',
    checkpoints: 'none',
    state: 'heap',
    workers: '1 thread',
    command: own('loop'),
    needs: [],
    folder: `${peers}loop`,
    takesObjects: true,
  },
  {
    name: 'bytewax',
    title: 'Bytewax',
    delivery: 'none: no recovery store',
    checkpoints: 'none',
    state: 'heap (Python objects)',
    workers: '1 worker; events are objects before the clock starts',
    command: [`${peers}bytewax/build/bin/python`, `${peers}bytewax/main.py`],
    version: [`${peers}bytewax/requirements.txt`, /bytewax==(\S+)/],
    needs: ['python3'],
    build: {
      command: ['sh', '-c', 'python3 -m venv build && build/bin/pip install -q -r requirements.txt'],
      makes: 'build/bin/python',
    },
    folder: `${peers}bytewax`,
    lines: 'beforehand',
    eventsMax: 100_000,
  },
  {
    name: 'benthos',
    title: 'Benthos',
    delivery: 'at least once within the process',
    checkpoints: 'none: it keeps no state',
    state: 'none',
    workers: 'all cores; reading lines and JSON are in its time',
    command: [`${peers}benthos/build/benthos-peer`],
    version: [`${peers}benthos/go.mod`, /benthos\/v4 v(\S+)/],
    needs: ['go'],
    build: { command: ['go', 'build', '-o', 'build/benthos-peer', '.'], makes: 'build/benthos-peer' },
    folder: `${peers}benthos`,
    lines: 'timed',
    eventsMax: 100_000,
  },
  {
    name: 'node-red',
    title: 'Node-RED',
    delivery: 'none: a crash loses all',
    checkpoints: 'none',
    state: 'none',
    workers: '1 thread; events are objects before the clock starts',
    command: [process.execPath, ...heapFlags, '--import', 'tsx', `${peers}node-red/main.ts`],
    version: [`${peers}node-red/package.json`, /"node-red": "([^"]+)"/],
    needs: ['npm'],
    build: {
      command: ['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund'],
      makes: 'node_modules/node-red/package.json',
    },
    folder: `${peers}node-red`,
    lines: 'beforehand',
    eventsMax: 20_000,
  },
];

/** That of the peer, empty where it has none of its own. */
export function versionOf({ version }: Contender): string {
  return version ? (version[1].exec(readFileSync(version[0], 'utf8'))?.[1] ?? 'unknown') : '';
}

const versionOptions: Readonly<Record<string, string>> = { java: '-version', python3: '--version', go: 'version' };

/** What the tools say of themselves on which contenders run. */
export function toolVersions(taking: readonly Contender[]): Readonly<Record<string, string>> {
  const tools = [...new Set(taking.flatMap(({ needs }) => needs))].filter((tool) => tool in versionOptions);
  return Object.fromEntries(
    tools.map((tool) => {
      const { stdout, stderr, error } = spawnSync(tool, [versionOptions[tool] as string], { encoding: 'utf8' });
      return [tool, error ? 'absent' : ((stdout || stderr).split('\n')[0] ?? '')];
    }),
  );
}

/** Builds what is not built; says why a contender cannot take part. */
export function prepare(contender: Contender): { readonly absent?: string } {
  for (const program of contender.needs) {
    if (spawnSync('which', [program]).status !== 0) return { absent: `there is no ${program}` };
  }
  const { build, folder } = contender;
  if (!build || existsSync(`${folder}/${build.makes}`)) return {};
  const [program, ...args] = build.command;
  process.stderr.write(`${contender.name} is built, once: it may take minutes\n`);
  try {
    execFileSync(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    return {};
  } catch (error) {
    return { absent: `its build failed: ${(error as Error).message.split('\n')[0]}` };
  }
}
