/**
 * Appends until it is known whether the log has the message. A sender that is told of a failure begins anew where the marks say, and cuts
 * what it sends in another way than before: what had been stored without a word would be there twice. So nobody is told anything meanwhile.
 */
import { identityHeader } from '../bus/append-window.ts';
import type { AppendOptions, LogMessage, LogStream, Payload } from '../bus/log.ts';
import { outcomeUnknown } from '../bus/unanswered.ts';
import type { Clock } from '../clock.ts';
import { limits } from '../limits.ts';

const logClosed = 'MACH3015';

const codeOf = (error: unknown) => (error as { code?: string }).code;

/** Of a subject that nobody else appends to, message after message. Resolves with its place in the log. Rejects when the log has not stored it, and never will; unknown only when closing. */
export async function appendUntilKnown(
  args: { readonly stream: LogStream; readonly subject: string; readonly clock: Clock; isClosing(): boolean },
  payload: Payload,
  options: AppendOptions & { readonly id: string },
): Promise<number> {
  const { stream, subject } = args;
  for (;;) {
    try {
      return (await stream.append(subject, payload, options)).sequence;
    } catch (error) {
      if (codeOf(error) !== outcomeUnknown || args.isClosing()) throw error;
      // The log may have been away for longer than it remembers identities: its newest message tells.
      const newest = await newestMessage(args, error);
      if (newest?.headers[identityHeader] === options.id) return newest.sequence;
    }
  }
}

async function newestMessage(
  { stream, subject, clock, isClosing }: Parameters<typeof appendUntilKnown>[0],
  unknown: unknown,
): Promise<LogMessage | undefined> {
  for (;;) {
    try {
      return await stream.last(subject);
    } catch (error) {
      if (isClosing() || codeOf(error) === logClosed) throw unknown;
      await clock.sleep(limits.appendRetryDelayMs);
    }
  }
}
