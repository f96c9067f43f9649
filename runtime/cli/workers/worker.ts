/** The side of a worker: says to the process that started it that it runs, and ends when that says so, or is gone. */
import type { Run } from '../start-run.ts';
import type { DrainStep, WorkerMessage } from './supervisor.ts';

/**
 * Resolves when the worker is to drain by itself: its starter is gone, or wants the end and all has been handled. Steps of a drain are
 * done as they are asked for: only when no worker takes anything in any more can each handle all that the others pass to it.
 */
export function serveStarter(run: Run): Promise<'stopped'> {
  const send = (message: WorkerMessage) => process.send?.(message);
  return new Promise((resolve) => {
    process.once('disconnect', () => resolve('stopped'));
    // A terminal sends it to everybody; the one that started us says what is to be done.
    process.on('SIGINT', () => undefined);
    process.on('message', (step: DrainStep) => {
      if (step === 'end') return resolve('stopped');
      // Workers of another run take over what is given up: there is nothing to wait for.
      if (run.ownership?.hasOthers) return resolve('stopped');
      run.ownership?.freeze();
      const work = step === 'close-sources' ? run.engine.closeSources() : run.engine.settled();
      void work.catch(() => undefined).then(() => send({ kind: 'done', step }));
    });
    send({ kind: 'running', observe: run.observeUrl });
  });
}
