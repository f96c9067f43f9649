/** What is said of a heap that fills up: how far, and whose state is in it. */
import type { Clock, Timer } from '../clock.ts';
import type { MachError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Logger } from '../stream/definition.ts';
import type { BoundTopology } from '../topology/bound.ts';
import { executionErrors } from './errors.ts';
import type { HeapRoom } from './heap-room.ts';
import type { Unit } from './unit.ts';

/** Whose state may be what fills it. */
interface Holders {
  readonly topology: BoundTopology;
  readonly units: ReadonlyMap<number, Unit>;
}

const holdersNamed = 3;

/** Logs each change until the function that it gives is called. */
export function tellOfHeap(heap: HeapRoom, { logger, ...holders }: Holders & { readonly logger: Logger }): () => void {
  const tell = () => {
    if (heap.state === 'roomy') return logger.info({}, 'the heap has room again');
    const { code, message } = heapProblem(heap, holders);
    if (heap.state === 'full') logger.error({ code }, message);
    else logger.warn({ code }, message);
  };
  if (heap.state !== 'roomy') tell();
  return heap.follow(tell);
}

export function heapProblem(heap: HeapRoom, holders: Holders): MachError {
  const said = {
    live: mebibytes(heap.liveBytes),
    reserved: mebibytes(heap.reservedBytes),
    limit: mebibytes(heap.limitBytes),
    states: statesText(holders),
  };
  return executionErrors.make(heap.state === 'full' ? 'MACH3254' : 'MACH3253', said);
}

/** Rejects with MACH3254 where the heap has been full for so long and `work` is not done. */
export function whileRoom<T>(
  work: Promise<T>,
  heap: HeapRoom,
  { clock, ...holders }: Holders & { readonly clock: Clock },
): Promise<T> {
  let timer: Timer | undefined;
  let stop = () => {};
  const full = new Promise<never>((_, reject) => {
    const watch = () => {
      timer?.cancel();
      if (heap.state === 'full')
        timer = clock.after(limits.heapFullAtStartMs, () => reject(heapProblem(heap, holders)));
    };
    stop = heap.follow(watch);
    watch();
  });
  return Promise.race([work, full]).finally(() => {
    stop();
    timer?.cancel();
  });
}

const mebibytes = (bytes: number) => Math.round(bytes / 1024 ** 2);

/** `; most keys: visits 1200344, calls 40` */
function statesText({ topology, units }: Holders): string {
  const stages = [...units.values()].flatMap((unit) => unit.stages);
  const keysOf = (id: string) => stages.reduce((sum, { machine }) => sum + (machine.runner(id)?.stateKeys ?? 0), 0);
  const most = topology.operators
    .map(({ id }) => ({ id, keys: keysOf(id) }))
    .filter(({ keys }) => keys > 0)
    .sort((one, other) => other.keys - one.keys)
    .slice(0, holdersNamed);
  return most.length === 0 ? '' : `; most keys: ${most.map(({ id, keys }) => `${id} ${keys}`).join(', ')}`;
}
