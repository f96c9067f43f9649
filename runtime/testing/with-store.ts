/** A real embedded ClickHouse for tests, in a temporary folder. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../clock.ts';
import { connectStore } from '../store/clickhouse.ts';
import { type EmbeddedStore, startEmbeddedStore } from '../store/embedded/supervisor.ts';
import type { Store } from '../store/store.ts';

export interface TestStore {
  readonly store: Store;
  readonly embedded: EmbeddedStore;
  readonly directory: string;
  /** Ends the store and removes its folder. */
  stop(): Promise<void>;
}

/** For a test file that shares one store: start it in `beforeAll`, stop it in `afterAll`. Starting takes about a second. */
export async function startTestStore(): Promise<TestStore> {
  const directory = await mkdtemp(join(tmpdir(), 'mach-store-'));
  const embedded = await startEmbeddedStore({ directory });
  const store = await connectStore({ url: embedded.url, clock: systemClock() });
  return {
    store,
    embedded,
    directory,
    async stop() {
      await store.close();
      await embedded.stop();
      await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
    },
  };
}

/** Runs `use` with a store of its own. */
export async function withStore<T>(use: (store: Store, test: TestStore) => Promise<T>): Promise<T> {
  const test = await startTestStore();
  try {
    return await use(test.store, test);
  } finally {
    await test.stop();
  }
}
