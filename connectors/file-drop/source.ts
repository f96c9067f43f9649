/** The running source: looks at the folder whenever it changes and from time to time, and takes files one after the other. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import {
  MachError,
  messageOf,
  type RunningSource,
  type SourceContext,
  type Timer,
} from '../../runtime/stream/index.ts';
import { fileDropErrors } from './errors.ts';
import {
  type Found,
  listFiles,
  makeNameMatcher,
  moveFile,
  moveToFailed,
  prepareFolders,
  readContent,
  SettleWatch,
} from './folder.ts';
import { type Ledger, openLedger } from './ledger.ts';
import { fileDropLimits } from './limits.ts';
import { type Counts, checkContent, type FirstRows, makeTaker, type TakeOptions } from './take.ts';

export interface DropOptions extends TakeOptions {
  readonly folder: string;
  readonly processed: string;
  readonly failed: string;
  readonly match: string;
  readonly bytesMax: number;
  readonly settleMs: number;
  readonly scanMs: number;
  readonly aheadMs: number;
}

const ledgerName = '.mach-ledger.ndjson';

/** What happens to one file that has settled. Rejects when it should be tried again later; then it is still in the folder. */
function makeFileHandler(options: DropOptions, context: SourceContext, ledger: Ledger) {
  const taker = makeTaker(context, options.aheadMs);
  const at = () => new Date(context.clock.now()).toISOString();

  /** What stands there now was not read: it settles, and is taken as a file of its own. */
  function changed(file: Found): void {
    context.logger.info(
      { file: file.name },
      'the file was changed or replaced meanwhile: what is there now comes next',
    );
  }

  async function fail(file: Found, error: MachError, sha?: string): Promise<void> {
    const reason = `${error.code} ${error.message}`;
    context.logger.warn({ file: file.name, code: error.code }, reason);
    if (sha !== undefined) await ledger.write({ sha, name: file.name, state: 'failed', at: at() });
    if (!(await moveToFailed(file, options.failed, reason))) return changed(file);
    context.count('files_total', 1, { outcome: 'failed' });
  }

  return async (file: Found): Promise<void> => {
    let bytes: Buffer | null;
    try {
      bytes = await readContent(file, options.bytesMax);
    } catch (error) {
      if (error instanceof MachError) return fail(file, error);
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    if (bytes === null) return;
    const sha = createHash('sha256').update(bytes).digest('hex');
    if (ledger.state(sha) === 'done') {
      const name = await moveFile(file, options.processed);
      if (name === null) return changed(file);
      context.logger.info({ file: file.name, name }, 'same content as a file before: not taken again');
      context.count('files_total', 1, { outcome: 'duplicate' });
      return;
    }
    const content = { name: file.name, bytes, sha, modifiedMs: file.modifiedMs };
    let firsts: FirstRows;
    try {
      firsts = await checkContent(content, options);
    } catch (error) {
      if (error instanceof MachError) return fail(file, error, sha);
      throw error;
    }
    if (ledger.state(sha) !== 'begun') await ledger.write({ sha, name: file.name, state: 'begun', at: at() });
    let counts: Counts;
    try {
      counts = await taker.take(content, options, firsts);
    } catch (error) {
      // A row that no message of the log can hold would be refused for ever, and every file behind it would wait.
      if (error instanceof MachError && error.code === 'MACH3202') return fail(file, error, sha);
      throw error;
    }
    const { rows, dead } = counts;
    await ledger.write({ sha, name: file.name, state: 'done', at: at(), rows, dead });
    if ((await moveFile(file, options.processed)) === null) changed(file);
    const taken = { file: file.name, rows, dead };
    if (dead === 0) context.logger.info(taken, 'file taken');
    else
      context.logger.warn(
        taken,
        'file taken, but for rows that cannot be read: `mach dead-letter list TOPOLOGY` says why',
      );
    context.count('files_total', 1, { outcome: 'taken' });
    context.count('rows_total', rows);
    if (dead > 0) context.count('rows_refused_total', dead);
  };
}

/** Watches and takes until closed. Rejects with MACH2201 (folders) or MACH2212 (ledger). */
export async function openDrop(options: DropOptions, context: SourceContext): Promise<RunningSource> {
  const { folder, processed, failed } = options;
  const missing = await prepareFolders([folder, processed, failed]);
  // Its name may be wrong: nothing would ever come.
  if (missing.includes(folder)) context.logger.info({ folder }, 'the folder was missing, and has been made');
  const ledger = await openLedger(join(processed, ledgerName));
  const handle = makeFileHandler(options, context, ledger);
  const settle = new SettleWatch(options.settleMs);
  // Files are written in the machine's time, whatever time the engine runs on.
  const { machineClock } = context;
  const matches = makeNameMatcher(options.match);
  let problem: string | null = null;
  let closing = false;
  let retryMs: number = fileDropLimits.retryDelayMs;
  let timer: Timer | undefined;
  let looking: Promise<void> | undefined;
  let again = false;

  const lookIn = (delayMs: number) => {
    timer?.cancel();
    if (!closing) timer = machineClock.after(delayMs, look);
  };

  /** Contents that were begun come first: the marks of their origins must not be replaced by those of other files. */
  async function inOrder(files: readonly Found[]): Promise<Found[]> {
    if (files.length < 2 || !resuming) return [...files];
    const begun: Found[] = [];
    const others: Found[] = [];
    for (const file of files) {
      const bytes = await readContent(file, options.bytesMax).catch(() => null);
      const sha = bytes && createHash('sha256').update(bytes).digest('hex');
      (sha && ledger.state(sha) === 'begun' ? begun : others).push(file);
    }
    return [...begun, ...others];
  }

  let resuming = true;

  /** Somebody may have removed them, and with them the ledger: what is taken must have a place, and what was taken stay known. */
  async function makeAgain(): Promise<void> {
    for (const removed of await prepareFolders([processed, failed], { alone: true }))
      context.logger.warn({ folder: removed }, 'the folder was removed, and has been made again');
    if (await ledger.restore())
      context.logger.warn({ file: ledgerName }, 'the ledger was removed, and has been written again');
  }

  async function lookOnce(): Promise<number> {
    const files = await listFiles(folder, matches);
    await makeAgain();
    const { ready, waiting } = settle.settled(files, machineClock.now());
    context.gauge('files_waiting', ready.length);
    let stuck: MachError | undefined;
    for (const file of await inOrder(ready)) {
      if (closing || context.signal.aborted) return options.scanMs;
      try {
        await handle(file);
      } catch (error) {
        const reason = fileDropErrors.make('MACH2213', { file: file.name, reason: messageOf(error) }, error);
        // What the file system says concerns one file; what the log says concerns them all.
        if (!(error as NodeJS.ErrnoException).syscall) throw reason;
        stuck ??= reason;
      }
    }
    if (stuck) throw stuck;
    if (ready.length > 0) resuming = false;
    return waiting ? Math.max(10, options.settleMs / 2) : options.scanMs;
  }

  function look(): void {
    if (looking) {
      again = true;
      return;
    }
    looking = lookOnce()
      .then(
        (delayMs) => {
          problem = null;
          retryMs = fileDropLimits.retryDelayMs;
          return delayMs;
        },
        (error: unknown) => {
          if (closing) return options.scanMs;
          problem = error instanceof MachError ? `${error.code} ${error.message}` : messageOf(error);
          context.logger.warn({ folder, retryMs }, problem);
          const delayMs = retryMs;
          retryMs = Math.min(retryMs * 2, fileDropLimits.retryDelayMaxMs);
          return delayMs;
        },
      )
      .then((delayMs) => {
        looking = undefined;
        lookIn(again && problem === null ? 0 : delayMs);
        again = false;
      });
  }

  const { watch } = await import('chokidar');
  const watcher = watch(folder, { depth: 0, followSymlinks: false, ignoreInitial: true, ignorePermissionErrors: true });
  watcher.on('all', (event) => {
    if ((event === 'add' || event === 'change') && problem === null) look();
  });
  // Network folders tell of no changes, and a watcher may fail: the look from time to time does not depend on it.
  watcher.on('error', (error) =>
    context.logger.warn({ folder, reason: messageOf(error) }, 'the folder is only looked at from time to time'),
  );
  look();
  return {
    address: folder,
    problem: () => problem,
    async close() {
      closing = true;
      timer?.cancel();
      await watcher.close();
      await looking;
      await ledger.close();
    },
  };
}
