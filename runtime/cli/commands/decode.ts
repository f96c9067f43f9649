import type { Command } from 'commander';
import { didYouMean } from '../../did-you-mean.ts';
import { messageOf } from '../../errors.ts';
import type { BoundSource, SourceDefinition } from '../../stream/source-definition.ts';
import type { CommandContext } from '../context.ts';
import { cliErrors } from '../errors.ts';
import { CommandExit, exitCodes } from '../exit-codes.ts';
import { readBinaryFile } from '../files.ts';
import { groups } from '../groups.ts';
import { cliLimits } from '../limits.ts';

export function register(program: Command, context: CommandContext): void {
  program
    .command('decode')
    .helpGroup(groups.look)
    .summary('show the events that messages in files would become')
    .description(
      'Prints, as JSON lines, what a connector makes of the messages in files: {"file","time","event"} for each typed event,\n{"file","dead_letter":{code,reason,place,raw}} for what it cannot use. Exit code 1 when there was a dead letter.',
    )
    .argument('<connector>', 'name of a source, such as hl7-mllp')
    .argument('<file...>', 'files with messages as senders send them')
    .option('--options <json>', 'options of the connector, as a JSON object')
    .action((connector: string, files: string[], { options }: { options?: string }) =>
      decodeFiles(connector, { files, options, context }),
    );
}

async function decodeFiles(
  connector: string,
  { files, options, context }: { files: readonly string[]; options: string | undefined; context: CommandContext },
): Promise<void> {
  const { catalogue } = await context.loadCatalogue();
  const definition = catalogue.sources.find(({ name }) => name === connector);
  if (!definition) {
    const near = didYouMean(
      connector,
      catalogue.sources.map(({ name }) => name),
    );
    const error = cliErrors.make('MACH1601', { what: 'the source', name: connector });
    if (near) error.message += `. Did you mean ${near}?`;
    throw error;
  }
  const bound = await bindAlone(definition, { options, context });
  if (!bound.decode) throw cliErrors.make('MACH1603', { name: connector });
  let rejected = 0;
  for (const file of files) rejected += await decodeFile(file, bound as DecodingSource, context);
  if (rejected > 0) throw new CommandExit(exitCodes.found);
}

type DecodingSource = BoundSource & Required<Pick<BoundSource, 'decode'>>;

/** A file that the connector throws on is a dead letter too: nothing in a file may end the command. */
async function decodeFile(file: string, bound: DecodingSource, context: CommandContext): Promise<number> {
  const content = readBinaryFile(file);
  const { decodeFileBytesMax } = cliLimits;
  if (content.length > decodeFileBytesMax) {
    throw cliErrors.make('MACH1608', { file, bytes: content.length, max: decodeFileBytesMax });
  }
  try {
    const { events, deadLetters } = await bound.decode(content, file);
    for (const { event, time } of events) {
      context.print(JSON.stringify({ file, time: toIsoTime(time), event }));
    }
    for (const { code, reason, place, raw } of deadLetters) {
      const text = new TextDecoder('utf-8').decode(raw);
      context.print(JSON.stringify({ file, dead_letter: { code, reason, place, raw: text } }));
    }
    return deadLetters.length;
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    const dead = { code: typeof code === 'string' ? code : 'MACH1253', reason: messageOf(error), place: {}, raw: null };
    context.print(JSON.stringify({ file, dead_letter: dead }));
    return 1;
  }
}

function toIsoTime(time: number): string | null {
  return Number.isFinite(time) && Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : null;
}

/** A source without a topology around it: with the options given, else with those of its first example. */
async function bindAlone(
  definition: SourceDefinition,
  { options, context }: { options: string | undefined; context: CommandContext },
): Promise<BoundSource> {
  const { OptionsNode, SourceNode, TopologyNode } = await import('../../topology/ir/index.ts');
  const { bindSource } = await import('../../topology/bind-source.ts');
  const value = options === undefined ? (definition.examples[0]?.options ?? {}) : parseJson(options);
  const node = SourceNode.create({
    id: 'decode',
    definition: definition.name,
    options: OptionsNode.create(structuredClone(value) as never),
  });
  const topology = TopologyNode.create({ name: 'decode', sources: [node], operators: [], sinks: [], edges: [] });
  const { bound, diagnostics } = bindSource(topology, { definition, env: context.env });
  const [problem] = diagnostics.filter(({ severity }) => severity === 'error');
  if (!bound)
    throw cliErrors.make('MACH1604', { reason: [problem?.message, problem?.suggestion].filter(Boolean).join('; ') });
  return bound;
}

function parseJson(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw cliErrors.make('MACH1604', { reason: `not JSON: ${messageOf(error)}` }, error);
  }
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw cliErrors.make('MACH1604', { reason: 'a JSON object is needed' });
}
