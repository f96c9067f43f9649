/** A thread that runs simulations: one range of seeds after the other, one tally for each. */
import { parentPort } from 'node:worker_threads';
import { runSeeds } from './seeds.ts';

export interface Order {
  readonly first: number;
  readonly last: number;
  readonly partitions?: number;
}

parentPort?.on('message', async (order: Order) => {
  parentPort?.postMessage(await runSeeds(order));
});
