/** What a command is given: the catalogue, the terminal, and how to load a topology. */
import type { ErrorList } from '../errors.ts';
import type { Catalogue } from '../stream/definition.ts';
import type { BoundTopology } from '../topology/bound.ts';
import type { Diagnostic } from '../topology/diagnostic.ts';
import { CommandExit, exitCodes } from './exit-codes.ts';

/** The root's `catalogue.ts`. */
export interface CatalogueModule {
  readonly catalogue: Catalogue;
  /** Errors of the connectors and operators, for `mach help CODE`. */
  readonly errorLists: readonly ErrorList[];
}

export interface CommandContext {
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Loaded when a command needs it first, so that `mach --help` is quick. */
  loadCatalogue(): Promise<CatalogueModule>;
  /** One or more whole lines to the standard output. */
  print(text: string): void;
  /** To the standard error: progress, problems. */
  printError(text: string): void;
  /** The standard output is a terminal. */
  readonly isTerminal: boolean;
  /** Columns of the terminal as it is now. */
  readonly terminalWidth: number | undefined;
  /** Colours are wanted (a terminal, and NO_COLOR is not set). */
  readonly color: boolean;
  /**
   * The topology of a file. With errors in it they are printed to the standard error and the command ends with exit code 1, or 2 when
   * the file cannot be read; warnings are printed and the command goes on.
   */
  loadTopology(file: string): Promise<BoundTopology>;
}

/** A module of `commands/`: adds its command to the program. */
export interface CommandModule {
  register(program: import('commander').Command, context: CommandContext): void;
}

export interface ContextOptions {
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly loadCatalogue: () => Promise<CatalogueModule>;
  /** Commands of the project beside those of the engine: the simulator's. */
  readonly commands?: readonly CommandModule[];
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

export function createContext({ version, env, loadCatalogue, stdout, stderr }: ContextOptions): CommandContext {
  const isTerminal = stdout.isTTY === true;
  const context: CommandContext = {
    version,
    env,
    loadCatalogue,
    isTerminal,
    get terminalWidth() {
      return isTerminal ? stdout.columns : undefined;
    },
    color: isTerminal && !env.NO_COLOR,
    print: (text) => void stdout.write(`${text}\n`),
    printError: (text) => void stderr.write(`${text}\n`),
    async loadTopology(file) {
      const { loadTopology } = await import('../topology/load.ts');
      const { catalogue } = await loadCatalogue();
      const { topology, diagnostics } = loadTopology(file, { catalogue, env });
      if (diagnostics.length > 0) {
        const frames = stderr.isTTY === true;
        context.printError(await describeDiagnostics(diagnostics, { frames, color: frames && !env.NO_COLOR }));
      }
      if (topology) return topology;
      throw new CommandExit(isUnreadable(diagnostics) ? exitCodes.usage : exitCodes.found, 'Nothing was started.');
    },
  };
  return context;
}

/** Of a file of which nothing was read: another was meant, or this user may not. */
export function isUnreadable(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ code }) => code === 'MACH1001');
}

/** One line each, or with the lines of the file for a terminal. */
export async function describeDiagnostics(
  diagnostics: readonly Diagnostic[],
  { frames, color }: { frames: boolean; color: boolean },
): Promise<string> {
  const { formatCounts, formatFrames, formatOneLine } = await import('../topology/print-diagnostics.ts');
  if (!frames) return diagnostics.map(formatOneLine).join('\n');
  const { readFileSync } = await import('node:fs');
  const files = [...new Set(diagnostics.map(({ file }) => file))];
  const parts = files.map((file) => {
    const own = diagnostics.filter((diagnostic) => diagnostic.file === file);
    let text = '';
    try {
      text = readFileSync(file, 'utf8');
    } catch {
      // The diagnostic itself says that the file cannot be read.
    }
    return `${formatCounts(file, own)}\n\n${formatFrames(own, { sources: new Map([[file, text]]), color })}`;
  });
  const [first] = diagnostics;
  return `${parts.join('\n\n')}\n\nmach help ${first?.code} tells more.`;
}
