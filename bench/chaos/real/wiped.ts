/**
 * The log's storage is wiped: a loud failure with its code, never a silent start from 1. Then the storage is put back and
 * everything goes on; at last the loss is accepted on purpose. In a world of its own, judged by itself.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes } from '../../../runtime/cli/exit-codes.ts';
import { seededRandom } from '../../../runtime/random.ts';
import { quiet, type RunningCampaign } from './campaign.ts';
import type { EngineRun } from './engine-process.ts';
import { judge, queryOf, readTables } from './judge.ts';
import { type Senders, startSenders } from './senders.ts';
import { wipeStorage } from './servers.ts';

export const wipedFault = {
  name: 'nats-wiped',
  summary:
    'nats-server comes back with its storage wiped: refused with a code, until it is put back or the loss is accepted',
} as const;

const noticeDeadlineMs = 40_000;
const thereDeadlineMs = 120_000;

export async function wipeAfterwards(campaign: RunningCampaign): Promise<void> {
  const { world, problems, settings } = campaign;
  const { worker, around } = world;
  if (!around) return;
  const startedAt = Date.now();
  const { log, logDirectory } = around;
  const sinceMs = () => Date.now() - startedAt;
  const say = (detail: string) =>
    settings.print(`${(sinceMs() / 1_000).toFixed(1).padStart(6)} s  ${wipedFault.name}: ${detail}`);

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
  problems.push(...campaign.senders.violations);
  say(`storage put back: judged again`);
  await acceptLoss(campaign, say);
  const detail = 'wiped, refused twice, put back, wiped again with the loss accepted';
  campaign.injected.push({ fault: wipedFault.name, atMs: 0, tookMs: sinceMs(), detail });
}

/** The loss is accepted on purpose: what comes from then on is there once, beside what was there before. */
async function acceptLoss(campaign: RunningCampaign, say: (text: string) => void): Promise<void> {
  const { world, problems, oracle, settings } = campaign;
  const { worker, around } = world;
  if (!around) return;
  // For a log that knows nothing of them these are other centres: a centre that was acknowledged more would rightly refuse to go on.
  await campaign.senders.close();
  worker.hold();
  const { run } = worker;
  run.signal('SIGKILL');
  await run.ended;
  await around.log.kill();
  await wipeStorage(around.logDirectory);
  await around.log.start();
  worker.next = { arguments: ['--accept-loss', 'log'] };
  worker.release();
  await sleep(400);
  if (!(await worker.untilRunning())) {
    problems.push(`${wipedFault.name}: it does not run with the loss accepted`);
    return;
  }
  const senders = await startSenders({
    oracle,
    random: seededRandom(settings.seed).fork('after the loss'),
    targets: { hl7Port: world.hl7.port, feedPort: world.feed.port, inbox: world.inbox },
    centreSuffix: '-anew',
  });
  try {
    await sleep(1_500);
    senders.pause();
    problems.push(...(await untilThere(campaign, senders)), ...senders.violations);
    say('loss accepted: judged again');
  } finally {
    await senders.close();
  }
}

/** The state is gone with the log, windows and accounts with it: what is asked of it is that every id is there once. */
async function untilThere({ world, oracle }: RunningCampaign, senders: Senders): Promise<string[]> {
  const until = Date.now() + thereDeadlineMs;
  let wrong = ['nothing could be read'];
  while (Date.now() < until && (wrong.length > 0 || !senders.settled)) {
    await sleep(400);
    const url = world.storeUrl();
    const tables = url && (await readTables(queryOf(url)).catch(() => undefined));
    if (!tables) continue;
    const { missing, twice, wrong: others } = judge(tables, oracle.sent, 0);
    wrong = [...missing, ...twice, ...others].map((id) => `${wipedFault.name}, loss accepted: ${id}`);
  }
  return senders.settled ? wrong : [...wrong, `${wipedFault.name}, loss accepted: messages have no answer`];
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
