import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openAccess } from '../../runtime/boards/access.ts';
import { linkEngine } from '../../runtime/boards/engine-link.ts';
import { type BoardServer, type BoardServerOptions, startBoardServer } from '../../runtime/boards/server.ts';
import { explainResult } from '../../runtime/cli/boards-explain.ts';
import { revealLetter } from '../../runtime/cli/boards-reveal.ts';
import type { CommandContext } from '../../runtime/cli/context.ts';
import { CommandExit, exitCodes } from '../../runtime/cli/exit-codes.ts';
import { type Run, startRun } from '../../runtime/cli/start-run.ts';
import { type Clock, systemClock, wallTime } from '../../runtime/clock.ts';
import { MachError, messageOf } from '../../runtime/errors.ts';
import { engineStatus } from '../../runtime/observe/status.ts';
import { loadTopology } from '../../runtime/topology/index.ts';
import type { CityProgress, CityResult, ScenarioName } from '../city/index.ts';
import { simulateCity } from '../city/index.ts';
import { takeDemoFolder } from './demo-folder.ts';
import { liveScreen, readBoard } from './screen.ts';
import { summarise } from './summary.ts';

export interface DemoSettings {
  readonly context: CommandContext;
  /** Real time. */
  readonly durationMs?: number;
  readonly summaryFile?: string;
  readonly speed: number;
  readonly hospitals: number;
  readonly seed: number;
  readonly scenario: ScenarioName;
  readonly directory: string;
  readonly topologyFile: string;
}

/** Between two looks at the store, ms of real time; without a terminal a look now and then is enough. */
const lookEveryMs = { terminal: 1_000, file: 10_000 } as const;
/** Where `mach boards` listens, and the board that a control room looks at. */
const wallPort = 8099;
const wallPath = '/d/mach-wall?kiosk';
const clearScreen = '\u001b[H\u001b[2J';
/** How long the last corrections may take after the city has said its last word, ms of real time. */
const settleDeadlineMs = 60_000;

export async function runDemo(settings: DemoSettings): Promise<void> {
  const { context, speed, durationMs } = settings;
  const directory = resolve(settings.directory);
  const inbox = join(directory, 'beds');
  await takeDemoFolder(directory);
  await mkdir(inbox, { recursive: true });
  const start = busyHourBefore(wallTime() - (durationMs ?? 0) * speed);
  const clock = systemClock({ rate: speed, start });
  const topology = await demoTopology(settings, inbox);
  context.printError(`starting ${topology.name}: NATS JetStream, ClickHouse and the engine`);
  const run = await startRun({
    topology,
    context,
    directory,
    observe: { host: '127.0.0.1', port: 0 },
    clock,
    acceptLoss: [],
    logLevel: 'warn',
    jsonLogs: false,
  });
  const wall = await openWall(run, { directory, env: context.env });
  const addresses = new Map(run.engine.sources.map(({ id, running }) => [id, addressOf(running.address)]));
  context.printError(addressLines(run, wall.url));
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      context.printError('\nending: the city sends what is left, then everything is computed to the end ...');
      stop.abort();
    });
  }
  let progress: CityProgress | undefined;
  const looking = lookOn(run, { context, clock, wall: wall.url, signal: stop.signal, progress: () => progress }).catch(
    (error) => {
      context.printError(`the live table has ended: ${messageOf(error)}`);
    },
  );
  const hl7 = addresses.get('adt');
  const feed = addresses.get('centre');
  const city = simulateCity({
    seed: settings.seed,
    hospitals: settings.hospitals,
    scenario: settings.scenario,
    start,
    speed,
    clock,
    ...(durationMs === undefined ? {} : { durationMs: durationMs * speed }),
    targets: { hl7, feed, beds: inbox },
    truthFolder: join(directory, 'truth'),
    signal: stop.signal,
    onProgress: (now) => {
      progress = now;
    },
  });
  const failed = run.failed.then((error) => {
    throw error;
  });
  try {
    const result = await Promise.race([city, failed]);
    await Promise.race([untilComputed(run, result), failed]);
    stop.abort();
    await looking;
    await wall.close();
    await report(run, result, settings, clock);
  } catch (error) {
    stop.abort();
    await looking;
    await wall.close();
    await run.stop();
    throw error;
  }
}

/** The boards of the repository over the demo; on the port that their links name, where it is free. */
async function openWall(run: Run, place: { directory: string; env: CommandContext['env'] }): Promise<BoardServer> {
  const folder = fileURLToPath(new URL('../../dashboards', import.meta.url));
  const engine = linkEngine(async () => run.observeUrl);
  const options: BoardServerOptions = {
    ...{ store: run.services.store, folder, access: openAccess(), engine },
    reveal: (asked) => revealLetter({ ...asked, ...place, topology: run.engine.topology.name }),
    explain: (result, signal) => explainResult({ ...place, result, signal }),
  };
  const server = await startBoardServer({ ...options, port: wallPort }).catch((error) => {
    if (error instanceof MachError && error.code === 'MACH3306') return startBoardServer(options);
    throw error;
  });
  return { ...server, url: `${server.url}${wallPath}` };
}

/** The last ten o'clock in the morning of the city before a time: a busy hour, and none of it in the future. */
function busyHourBefore(time: number): number {
  const dayMs = 86_400_000;
  const tenInTheCity = 3 * 3_600_000; // 10:00+07:00 is 03:00 UTC
  return Math.floor((time - tenInTheCity) / dayMs) * dayMs + tenInTheCity;
}

/** The topology file as it is, on free ports and with the demo's own inbox. */
async function demoTopology(settings: DemoSettings, inbox: string) {
  const { context } = settings;
  const { catalogue } = await context.loadCatalogue();
  const env = { ...context.env, MACH_HL7: '0', MACH_FEED: '0', MACH_ACTIONS: '0', MACH_BED_FILES: inbox };
  const { topology, diagnostics } = loadTopology(settings.topologyFile, { catalogue, env });
  if (topology) {
    // On a server of someone else's, a demo must not go on where an earlier one stopped.
    return context.env.NATS_URL ? { ...topology, name: `${topology.name}-demo-${wallTime().toString(36)}` } : topology;
  }
  const { describeDiagnostics } = await import('../../runtime/cli/context.ts');
  context.printError(await describeDiagnostics(diagnostics, { frames: context.isTerminal, color: context.color }));
  throw new CommandExit(exitCodes.found, 'Nothing was started.');
}

/** `host:port` out of an address that may have a scheme. */
function addressOf(text: string): string | undefined {
  return /[^/\s]+:\d+/.exec(text)?.[0];
}

function addressLines(run: Run, wall: string): string {
  const sources = run.engine.sources.map(({ id, running }) => `  ${id.padEnd(10)} ${running.address}`);
  return [
    ...sources,
    `  NATS       ${run.services.logAddress}`,
    `  ClickHouse ${run.services.storeAddress}`,
    `  engine     ${run.observeUrl}/metrics`,
    `  the wall   ${wall}   (open it in a browser; it stays until the demo ends)`,
  ].join('\n');
}

async function lookOn(
  run: Run,
  args: {
    context: CommandContext;
    clock: Clock;
    wall: string;
    signal: AbortSignal;
    progress(): CityProgress | undefined;
  },
): Promise<void> {
  const { context, clock, signal } = args;
  const everyMs = context.isTerminal ? lookEveryMs.terminal : lookEveryMs.file;
  const machine = systemClock();
  while (!signal.aborted) {
    await machine.sleep(everyMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    const [board, status] = await Promise.all([
      readBoard(run.services.store, clock.now()),
      engineStatus(run.engine, clock.now()),
    ]);
    const screen = liveScreen({
      board,
      status,
      now: clock.now(),
      progress: args.progress(),
      color: context.color,
      width: context.terminalWidth,
    });
    context.print(
      context.isTerminal
        ? `\u001b[H\u001b[2J${screen}\n\nthe wall: ${args.wall}\nCtrl-C ends it: what was computed is then compared with what happened.`
        : screen,
    );
  }
}

/**
 * The last word of the city has been said and is in the log. Corrections go out with the next picture of a department: so time has to
 * go on past the last minute, and past where it stood when the last word was handled.
 */
async function untilComputed(run: Run, result: CityResult): Promise<void> {
  const deadline = AbortSignal.timeout(settleDeadlineMs);
  const machine = systemClock();
  await run.engine.settled(deadline);
  const { topology, stage } = run.engine;
  const census = topology.operators.find(({ definition }) => definition.name === 'ed-census')?.id ?? '';
  const reached = () => stage.machine.runner(census)?.watermark ?? 0;
  const last = result.truth.reduce((latest, { minute }) => Math.max(latest, minute), 0);
  const until = Math.max(last, reached()) + 2 * 60_000;
  while (reached() < until && !deadline.aborted) await machine.sleep(100);
  await run.engine.settled(deadline);
}

async function report(run: Run, result: CityResult, settings: DemoSettings, clock: Clock): Promise<void> {
  const { context } = settings;
  const summary = await summarise(run, result);
  const ended = Date.parse(result.summary.end);
  const [board, status] = await Promise.all([
    readBoard(run.services.store, ended),
    engineStatus(run.engine, clock.now()),
  ]);
  const screen = liveScreen({
    board,
    status,
    now: ended,
    progress: undefined,
    color: context.color,
    width: context.terminalWidth,
  });
  context.print(context.isTerminal ? `${clearScreen}${screen}` : screen);
  await run.drain();
  if (settings.summaryFile) await writeFile(settings.summaryFile, `${JSON.stringify(summary, null, 2)}\n`);
  const { truth, accounting } = summary;
  context.print(
    `\n${summary.events_in} events in, ${summary.results} rows out, ${summary.alerts} changes of alerts; a call is a row after ${summary.call_to_row_ms.p50} ms (median), ${summary.call_to_row_ms.p99} ms (p99)`,
  );
  context.print(
    `census against the truth: mean absolute error ${truth.census_mean_absolute_error} over ${truth.census_minutes_compared} hospital minutes`,
  );
  context.print(
    `in ${accounting.in} = delivered ${accounting.delivered} + filtered ${accounting.filtered} + late ${accounting.late} + dropped ${accounting.dropped} + dead-lettered ${accounting.dead_lettered}`,
  );
  const { late, duplicates, broken, rejected } = result.summary.hl7;
  context.print(
    `the city errs on purpose: of its HL7 messages ${duplicates} went out twice, ${late} late, ${broken} broken, of which ${rejected} were refused and kept as dead letters`,
  );
}
