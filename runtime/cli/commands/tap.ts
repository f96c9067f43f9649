import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { cliErrors } from '../errors.ts';
import { fetchEngine } from '../fetch-engine.ts';
import { findRun } from '../find-run.ts';
import { groups } from '../groups.ts';

interface TapFlags {
  readonly data: string;
  readonly url?: string;
  readonly limit?: string;
}

export function register(program: Command, context: CommandContext): void {
  program
    .command('tap')
    .helpGroup(groups.look)
    .summary('watch the events of an edge')
    .description(
      'Prints events of an edge of a running topology as JSON lines, at most 100 a second; names, identifiers, birth dates and addresses are hidden.\nAn edge is a node, or node:port such as dedupe:duplicate.',
    )
    .argument('<edge>', 'node, or node:port')
    .option('--limit <count>', 'end after this many events')
    .option('--url <url>', 'address of the engine (default: the one that runs here)')
    .option('--data <folder>', 'data folder of the engine', '.mach/data')
    .action((edge: string, flags: TapFlags) => tap(edge, flags, context));
}

async function tap(edge: string, { data, url, limit }: TapFlags, context: CommandContext): Promise<void> {
  if (limit !== undefined && !/^[1-9]\d{0,8}$/.test(limit))
    throw cliErrors.make('MACH1620', { option: '--limit', value: limit, takes: 'a whole number from 1 on' });
  const base = url ?? (await findRun(data)).url;
  const response = await fetchEngine(base, `/tap?edge=${encodeURIComponent(edge)}`);
  if (!response.ok || !response.body) {
    const { error } = (await response.json()) as { error: string };
    throw cliErrors.make('MACH1623', { reason: error });
  }
  if (context.isTerminal) context.printError(`watching ${edge} at ${base} from now on; Ctrl-C ends it`);
  const last = await printLines(response.body, limit === undefined ? Number.POSITIVE_INFINITY : Number(limit), context);
  if (last === 'ended') context.printError(`the engine at ${base} has ended`);
}

/** `ended`: the engine is gone before there were so many. */
async function printLines(
  body: ReadableStream<Uint8Array>,
  limit: number,
  context: CommandContext,
): Promise<'all' | 'ended'> {
  let left = limit;
  let rest = '';
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    // However a connection breaks off, nothing more will come of it.
    const { value } = await reader.read().catch(() => ({ value: undefined }));
    if (value === undefined) return 'ended';
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      context.print(line);
      left--;
      if (left > 0) continue;
      await reader.cancel();
      return 'all';
    }
  }
}
