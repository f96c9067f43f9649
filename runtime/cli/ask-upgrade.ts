/** Asks the engine that runs a topology to go on with another version of it. */

import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Upgrade } from '../execution/upgrade/live-engine.ts';
import type { Manifest } from '../execution/upgrade/manifest.ts';
import type { BoundTopology } from '../topology/bound.ts';
import { cliErrors } from './errors.ts';
import { reasonOf } from './fetch-engine.ts';
import { cliLimits } from './limits.ts';
import { findRuns, type RunFile } from './run-file.ts';
import type { UpgradeRequest } from './upgrade-server.ts';

/** The run of a topology in a data folder, when it can be asked; undefined when none runs or it does not answer. */
export async function findRunning(
  directory: string,
  topology: string,
): Promise<{ run: RunFile; manifest: Manifest } | undefined> {
  const until = performance.now() + cliLimits.manifestWaitMs;
  for (;;) {
    const run = (await findRuns(directory)).find((one) => one.topology === topology);
    if (!run?.control) return undefined;
    const manifest = await manifestOf(run);
    if (manifest) return { run, manifest };
    // A process of another kind has its number by now; or it is being started again.
    if (performance.now() > until) return undefined;
    await sleep(cliLimits.manifestAskEveryMs);
  }
}

async function manifestOf(run: RunFile): Promise<Manifest | undefined> {
  try {
    const response = await fetch(`${run.control?.url}/manifest`, { headers: authorization(run) });
    return response.ok ? ((await response.json()) as Manifest) : undefined;
  } catch {
    return undefined;
  }
}

export interface Refusal {
  readonly refusal: string;
  /** Of what was given, by its plan; else something failed on the way. */
  readonly isRefused: boolean;
}

/** A refusal (MACH1626): the version that ran goes on. Rejects with MACH1622 when the engine does not answer. */
export async function askUpgrade(
  run: RunFile,
  topology: BoundTopology,
  args: { env: Readonly<Record<string, string | undefined>>; acceptLoss: readonly string[] },
): Promise<Upgrade | Refusal> {
  const body: UpgradeRequest = {
    file: resolve(topology.file),
    env: namedValues(topology, args.env),
    acceptLoss: args.acceptLoss,
  };
  let response: Response;
  try {
    const headers = { ...authorization(run), 'content-type': 'application/json' };
    response = await fetch(`${run.control?.url}/upgrade`, { method: 'POST', headers, body: JSON.stringify(body) });
  } catch (error) {
    throw cliErrors.make('MACH1622', { url: run.url, reason: reasonOf(error) }, error);
  }
  const reply = (await response.json()) as Upgrade & { code?: string | null; message?: string; errors?: unknown };
  if (response.ok) return reply;
  const reason = reply.message ?? JSON.stringify(reply.errors ?? reply);
  const { code, message } = cliErrors.make('MACH1626', { reason: reply.code ? `${reply.code} ${reason}` : reason });
  return { refusal: `${code}  ${message}`, isRefused: response.status === 422 || reply.code === 'MACH3223' };
}

function authorization(run: RunFile): { authorization: string } {
  return { authorization: `Bearer ${run.control?.token}` };
}

/** Of the variables that the topology names alone: what else stands in an environment is nobody's business. */
function namedValues(
  topology: BoundTopology,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const names = [...JSON.stringify(topology.ir).matchAll(/\$\{env:([A-Za-z_][A-Za-z0-9_]*)/g)].map(
    (match) => match[1] as string,
  );
  const given = names.map((name) => [name, env[name]] as const);
  return Object.fromEntries(given.filter((entry): entry is readonly [string, string] => entry[1] !== undefined));
}
