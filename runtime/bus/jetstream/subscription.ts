/** Plain subjects: at most once, and bounded: a slow reader loses the oldest instead of holding anybody back. */
import { limits } from '../../limits.ts';
import type { Connection } from './connection.ts';

export async function* openSubscription(
  { nats }: Connection,
  subject: string,
  signal: AbortSignal,
): AsyncGenerator<{ subject: string; payload: Uint8Array }, void, void> {
  const waiting: { subject: string; payload: Uint8Array }[] = [];
  let ended = signal.aborted;
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  const end = (error?: Error) => {
    ended = true;
    failure = error;
    wake?.();
  };
  const onAbort = () => end();
  const subscription = nats.subscribe(subject, {
    callback: (error, message) => {
      if (error) {
        end(error);
        return;
      }
      if (waiting.length >= limits.subscriptionMessagesMax) waiting.shift();
      waiting.push({ subject: message.subject, payload: message.data });
      wake?.();
    },
  });
  signal.addEventListener('abort', onAbort, { once: true });
  void subscription.closed.then(onAbort, onAbort);
  try {
    while (!ended) {
      const message = waiting.shift();
      if (message) {
        yield message;
        continue;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    if (failure) throw failure;
  } finally {
    signal.removeEventListener('abort', onAbort);
    if (!nats.isClosed()) subscription.unsubscribe();
  }
}
