/** Driver and poller, each a process of its own, beside the engine; and the phases that are measured with them. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BenchEngine } from './engine.ts';
import {
  type ClosedLoop,
  type Driven,
  failureOf,
  messageOfKind,
  type OpenLoop,
  type Seen,
  type ToDriver,
  type ToPoller,
} from './messages.ts';
import { monotonicMs } from './workload.ts';

/** A row that is not there this long after the last answer is lost. */
const lostAfterMs = 30_000;
const startPollMs = 100;

export interface Session {
  readonly engine: BenchEngine;
  readonly driver: ChildProcess;
  readonly poller: ChildProcess;
  /** The first number that no phase has had. */
  nextNumber: number;
  drive(command: ToDriver): void;
  pollEvery(everyMs: number): void;
  /**
   * Lets the driver work and gives every look of the poller to `take`. Resolves once all senders have their answers and
   * `isDone` says that all rows have been seen, or nothing more can be expected.
   */
  watch(
    command: OpenLoop | ClosedLoop,
    use: { take(seen: Seen): void; isDone(driven: Driven): boolean },
  ): Promise<Driven>;
  close(): Promise<void>;
}

export async function openSession(engine: BenchEngine, feedBatch: number): Promise<Session> {
  const start = (file: string) =>
    fork(fileURLToPath(new URL(file, import.meta.url)), [], {
      execArgv: ['--import', 'tsx'],
      serialization: 'advanced',
    });
  const driver = start('./driver.ts');
  const poller = start('./poller.ts');
  const failure = Promise.race([failureOf(driver, 'driver'), failureOf(poller, 'poller')]);
  failure.catch(() => undefined);
  const drive = (command: ToDriver) => void driver.send(command);
  const poll = (command: ToPoller) => void poller.send(command);
  const connected = messageOfKind(driver, 'connected');
  drive({ kind: 'connect', feedAddress: engine.feedAddress, hl7Port: engine.hl7Port, feedBatch });
  await Promise.race([connected, failure]);
  poll({ kind: 'start', url: engine.storeUrl, everyMs: startPollMs });
  return {
    engine,
    driver,
    poller,
    nextNumber: 1,
    drive,
    pollEvery: (everyMs) => poll({ kind: 'pace', everyMs }),
    async watch(command, { take, isDone }) {
      const onSeen = (message: Seen) => {
        if (message.kind === 'seen') take(message);
      };
      poller.on('message', onSeen);
      try {
        const driving = messageOfKind<Driven>(driver, 'driven');
        const flushing = messageOfKind(driver, 'flushed');
        drive(command);
        const driven = await Promise.race([driving, failure]);
        await Promise.race([flushing, failure]);
        const deadline = monotonicMs() + lostAfterMs;
        while (!isDone(driven) && monotonicMs() < deadline) {
          await Promise.race([new Promise((resolve) => setTimeout(resolve, 20)), failure]);
        }
        return driven;
      } finally {
        poller.off('message', onSeen);
      }
    },
    async close() {
      const ended = Promise.all([driver, poller].map((child) => new Promise((resolve) => child.once('exit', resolve))));
      drive({ kind: 'close' });
      poll({ kind: 'close' });
      await ended;
    },
  };
}
