/** Why a result is there, for the page of the boards: `mach why` in a process of its own, so that neither the boards nor an engine stand still meanwhile. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { boardErrors } from '../boards/errors.ts';
import { boardLimits } from '../boards/limits.ts';
import type { WhyReport } from '../execution/why/report.ts';

const mach = fileURLToPath(new URL('../../bin/mach.js', import.meta.url));

/** `directory`: data folder of the engine that runs. What points at a person is hidden. Rejects with MACH3313. */
export function explainResult(args: {
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly result: string;
  readonly signal: AbortSignal;
}): Promise<WhyReport> {
  const { directory, env, result, signal } = args;
  const parameters = [mach, 'why', '--json', '--data', directory, '--', result];
  const options = {
    env: { ...env, NO_COLOR: '1' },
    signal,
    timeout: boardLimits.explainMs,
    maxBuffer: boardLimits.explainBytesMax,
  };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, parameters, options, (error, stdout, stderr) => {
      try {
        // It also ends with 1 when it has tried, and the messages do not give the row: the report says so.
        resolve(JSON.parse(stdout) as WhyReport);
      } catch {
        const said = stderr.split('\n').find((line) => /MACH\d{4}/.test(line));
        const reason =
          said?.trim() ?? (error?.killed ? `it took longer than ${boardLimits.explainMs} ms` : error?.message);
        reject(boardErrors.make('MACH3313', { result, reason: reason ?? 'mach why said nothing' }, error ?? undefined));
      }
    });
  });
}
