/**
 * Appends until it is known whether the log has the message. A sender that is told of a failure begins anew where the marks say, and cuts
 * what it sends in another way than before: what had been stored without a word would be there twice. So nobody is told anything meanwhile.
 */
import { identityHeader } from '../bus/append-window.ts';
import type { AppendOptions, LogStream, Payload } from '../bus/log.ts';
import type { Clock } from '../clock.ts';
import { limits } from '../limits.ts';

const outcomeUnknown = 'MACH3002';
const logClosed = 'MACH3015';

const codeOf = (error: unknown) => (error as { code?: string }).code;

/** Of a subject that nobody else appends to, message after message. Rejects when the log has not stored it, and never will; unknown only when closing. */
export async function appendUntilKnown(
  args: { readonly stream: LogStream; readonly subject: string; readonly clock: Clock; isClosing(): boolean },
  payload: Payload,
  options: AppendOptions & { readonly id: string },
): Promise<void> {
  const { stream, subject } = args;
  for (;;) {
    try {
      await stream.append(subject, payload, options);
      return;
    } catch (error) {
      if (codeOf(error) !== outcomeUnknown || args.isClosing()) throw error;
      // The log may have been away for longer than it remembers identities: its newest message tells.
      if (await isNewest(args, options.id, error)) return;
    }
  }
}

async function isNewest(
  { stream, subject, clock, isClosing }: Parameters<typeof appendUntilKnown>[0],
  id: string,
  unknown: unknown,
): Promise<boolean> {
  for (;;) {
    try {
      return (await stream.last(subject))?.headers[identityHeader] === id;
    } catch (error) {
      if (isClosing() || codeOf(error) === logClosed) throw unknown;
      await clock.sleep(limits.appendRetryDelayMs);
    }
  }
}
