/**
 * The log's storage is wiped: a loud failure with its code, never a silent start from 1. Then the storage is put back and
 * everything goes on; at last the loss is accepted on purpose. Judged by itself, after the other faults.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes } from '../../../runtime/cli/exit-codes.ts';
import { quiet, type RunningCampaign } from './campaign.ts';
import type { EngineRun } from './engine-process.ts';
import { wipeStorage } from './servers.ts';

export const wipedFault = {
  name: 'nats-wiped',
  summary:
    'nats-server comes back with its storage wiped: refused with a code, until it is put back or the loss is accepted',
} as const;

const noticeDeadlineMs = 40_000;

export async function wipeAfterwards(campaign: RunningCampaign): Promise<void> {
  const { world, problems, settings } = campaign;
  const { worker, around } = world;
  if (!around) return;
  const startedAt = Date.now();
  const { log, logDirectory } = around;
  const say = (detail: string) => settings.print(`   after  ${wipedFault.name}: ${detail}`);

  worker.hold();
  const live = worker.run;
  await log.kill();
  const putBack = await wipeStorage(logDirectory);
  await log.start();
  const noticed = await worker.untilEnded(live, noticeDeadlineMs);
  if (!noticed) {
    problems.push(`${wipedFault.name}: the running engine did not notice within ${noticeDeadlineMs} ms`);
    live.signal('SIGKILL');
    await live.ended;
  } else await expectRefusal(live, 'the running engine', problems, say);

  worker.release();
  await sleep(400);
  const again = worker.run;
  worker.hold();
  if (await worker.untilEnded(again, noticeDeadlineMs)) await expectRefusal(again, 'the next start', problems, say);
  else {
    const what = again.observeUrl ? 'runs from 1 as if nothing had been' : 'neither runs nor ends';
    problems.push(`${wipedFault.name}: the next start ${what}`);
    again.signal('SIGKILL');
    await again.ended;
  }

  await log.kill();
  await putBack();
  await log.start();
  worker.release();
  if (!(await worker.untilRunning())) problems.push(`${wipedFault.name}: it does not run with its storage put back`);
  campaign.senders.resume();
  await sleep(1_500);
  await quiet(campaign);
  problems.push(...campaign.senders.violations);
  say(`storage put back: judged again after ${Date.now() - startedAt} ms`);
}

async function expectRefusal(
  run: EngineRun,
  who: string,
  problems: string[],
  say: (text: string) => void,
): Promise<void> {
  const { code } = await run.ended;
  const said = [...run.lines.map(({ code, error }) => `${code ?? ''} ${error ?? ''}`), run.text].join('\n');
  const error = /MACH3\d{3}/.exec(said)?.[0];
  if (code === exitCodes.failed && error) return say(`${who} ended with exit code ${code} and ${error}`);
  problems.push(`${wipedFault.name}: ${who} ended with ${code} and without a code of its own: ${said.slice(-300)}`);
}
