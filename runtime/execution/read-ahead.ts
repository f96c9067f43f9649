/** Messages of the log for a sink, as many at once as it has time for. */
import { type LogMessage, lengthOf } from '../bus/log.ts';
import { limits } from '../limits.ts';

/** Reads ahead up to a bound, and hands over all that is there: a busy sink writes larger batches, an idle one at once. */
export function readAhead(messages: AsyncIterable<LogMessage>): {
  /** Resolves when there is something, or the end. */
  ready(): Promise<void>;
  isFull(): boolean;
  take(): Promise<LogMessage[]>;
} {
  let queue: LogMessage[] = [];
  let bytes = 0;
  let done = false;
  let failure: unknown;
  let wakeReader: (() => void) | undefined;
  let wakeTaker: (() => void) | undefined;
  void (async () => {
    try {
      for await (const message of messages) {
        queue.push(message);
        bytes += lengthOf(message);
        wakeTaker?.();
        while (isFull()) {
          await new Promise<void>((resolve) => {
            wakeReader = resolve;
          });
        }
      }
    } catch (error) {
      failure = error;
    }
    done = true;
    wakeTaker?.();
  })();
  function isFull(): boolean {
    return queue.length >= limits.sinkReadAheadMessagesMax || bytes >= limits.sinkReadAheadBytesMax;
  }
  const ready = async () => {
    while (queue.length === 0 && !done) {
      await new Promise<void>((resolve) => {
        wakeTaker = resolve;
      });
    }
  };
  return {
    ready,
    isFull: () => done || isFull(),
    async take() {
      await ready();
      if (queue.length === 0 && failure !== undefined) throw failure;
      let takenBytes = 0;
      let length = 0;
      while (length < queue.length && (length === 0 || takenBytes < limits.sinkBatchBytesMax)) {
        takenBytes += lengthOf(queue[length] as LogMessage);
        length++;
      }
      bytes -= takenBytes;
      const taken = queue.slice(0, length);
      queue = queue.slice(length);
      wakeReader?.();
      return taken;
    },
  };
}
