/** Whether anybody runs a topology: workers say again and again in the log that they live. */
import type { Log } from '../bus/log.ts';
import type { Clock } from '../clock.ts';
import { limits } from '../limits.ts';
import { topologyNames } from '../topology/names.ts';

/** Names of workers that say something while this listens (`limits.workerSilentMs`). */
export async function listenForWorkers(log: Log, topology: string, clock: Clock): Promise<string[]> {
  const names = topologyNames(topology);
  const stream = await log.find(names.workerStream);
  if (!stream) return [];
  const { lastSequence } = await stream.state();
  const listening = new AbortController();
  const timer = clock.after(limits.workerSilentMs, () => listening.abort());
  const workers = new Set<string>();
  for await (const message of stream.read({ fromSequence: lastSequence + 1, signal: listening.signal })) {
    const tick = JSON.parse(Buffer.from(message.payload).toString()) as { worker: string; leaving?: true };
    if (tick.leaving) workers.delete(tick.worker);
    else workers.add(tick.worker);
  }
  timer.cancel();
  return [...workers].sort();
}
