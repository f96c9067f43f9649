import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { boardErrors } from '../../boards/errors.ts';
import { steadyClock } from '../../clock.ts';
import type { CommandContext } from '../context.ts';
import { cliErrors } from '../errors.ts';
import { groups } from '../groups.ts';
import { findRuns } from '../run-file.ts';
import { takesPort } from '../takes.ts';

interface BoardsFlags {
  readonly boards: string;
  readonly listen: string;
  readonly data: string;
  readonly url?: string;
  readonly tokens?: string;
}

export function register(program: Command, context: CommandContext): void {
  const boards = program
    .command('boards')
    .helpGroup(groups.look)
    .summary('the boards and the running topology in a browser')
    .description(
      "Serves the boards of a folder (Grafana's Classic JSON) to a browser, without Grafana: a preview. They are read from the store of CLICKHOUSE_URL, else from that of the data folder. The same page shows the running topology.\nOn loopback everyone of this machine may look and act. Elsewhere --tokens names a file of who may.",
    )
    .option('--boards <folder>', 'folder of the boards', 'dashboards')
    .option('--listen <address>', 'port, or host:port', '8099')
    .option('--tokens <file>', 'who may look, operate and reveal; needed where the address is not loopback')
    .option('--url <url>', 'address of the engine (default: the one that runs here)')
    .option('--data <folder>', 'data folder of the engine', '.mach/data')
    .action((flags: BoardsFlags) => serve(flags, context));
  boards
    .command('token')
    .summary('make a token for the file of tokens')
    .description('Prints a new token, once, and the lines for the file of --tokens, which holds only its hash.')
    .argument('<name>', 'who gets it; stands in the log with what is done with it')
    .option('--roles <roles>', 'view, operate (acknowledge alerts), reveal (what points at a person)', 'view')
    .action((name: string, { roles }: { roles: string }) => makeToken(name, roles, context));
}

async function makeToken(name: string, rolesText: string, context: CommandContext): Promise<void> {
  const { roles } = await import('../../boards/access.ts');
  const wanted = rolesText.split(',').map((one) => one.trim());
  if (wanted.some((one) => !(roles as readonly string[]).includes(one))) {
    throw cliErrors.make('MACH1620', {
      option: '--roles',
      value: rolesText,
      takes: `one or several of ${roles.join(', ')}`,
    });
  }
  const token = randomBytes(24).toString('base64url');
  const sha256 = createHash('sha256').update(token).digest('hex');
  context.printError(`token: ${token}`);
  context.print(`tokens:\n  - name: ${JSON.stringify(name)}\n    roles: [${wanted.join(', ')}]\n    sha256: ${sha256}`);
}

async function serve(flags: BoardsFlags, context: CommandContext): Promise<void> {
  const { guardedAccess, openAccess } = await import('../../boards/access.ts');
  const { startBoardServer } = await import('../../boards/server.ts');
  const { isLoopback } = await import('../../loopback.ts');
  const { linkEngine } = await import('../../boards/engine-link.ts');
  const { openStore } = await import('../../store/index.ts');
  const { revealLetter } = await import('../boards-reveal.ts');
  const { explainResult } = await import('../boards-explain.ts');
  const { host, port } = listenOf(flags.listen);
  if (!flags.tokens && !isLoopback(host)) throw boardErrors.make('MACH3308', { address: flags.listen });
  const access = flags.tokens ? await guardedAccess(flags.tokens) : openAccess();
  const directory = join(flags.data, 'clickhouse');
  const address = context.env.CLICKHOUSE_URL;
  if (!address && !existsSync(directory)) throw boardErrors.make('MACH3311', { directory: flags.data });
  const store = await openStore({ directory, clock: steadyClock(), ...(address ? { url: address } : {}) });
  try {
    const engine = linkEngine(async () => flags.url ?? (await findRuns(flags.data)).at(-1)?.url);
    const actionToken = context.env.MACH_ACTION_TOKEN;
    const server = await startBoardServer({
      ...{ store, folder: flags.boards, access, engine, host, port },
      ...(actionToken && { actionToken }),
      reveal: async (asked) => {
        const { name } = (await (await engine.ask('/graph')).json()) as { name: string };
        return revealLetter({ ...asked, directory: flags.data, env: context.env, topology: name });
      },
      explain: (result, signal) => explainResult({ directory: flags.data, env: context.env, result, signal }),
    });
    context.print(`boards at ${server.url} (a preview, not Grafana); Ctrl-C ends it`);
    await untilSignalled();
    await server.close();
  } finally {
    await store.close();
  }
}

function listenOf(text: string): { host: string; port: number } {
  const [, host = '127.0.0.1', port = ''] = /^(?:(.+):)?(\d+)$/.exec(text) ?? [];
  if (port === '' || Number(port) > 65_535)
    throw cliErrors.make('MACH1620', { option: '--listen', value: text, takes: takesPort });
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function untilSignalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
