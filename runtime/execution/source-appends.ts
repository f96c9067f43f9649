/**
 * What a source appends, message after message, each behind the one before it: an owner that has lost the source to another one, and does not know
 * it yet or has something under way, is refused as soon as the other has appended. Its senders have begun anew there by then.
 */
import type { LogStream, Payload } from '../bus/log.ts';
import { isFenced } from './fenced.ts';
import { appendUntilKnown } from './known-append.ts';

export interface SourceAppends {
  /** Rejects as `appendUntilKnown`, and with MACH3001 where another owner has appended since. */
  append(payload: Payload, id: string): Promise<void>;
}

export function openSourceAppends(args: Parameters<typeof appendUntilKnown>[0]): SourceAppends {
  const { stream, subject, isClosing } = args;
  // What one process alone reads and writes has one owner.
  const isFencing = stream.handsOn !== true;
  let place: number | undefined;
  let asking: Promise<number> | undefined;

  function ask(): Promise<number> {
    asking ??= newestPlace(stream, subject).finally(() => {
      asking = undefined;
    });
    return asking;
  }
  // Now, and not with the first append: what another owner appends from here on is not known to the senders of this one.
  if (isFencing)
    ask().then(
      (newest) => {
        place ??= newest;
      },
      () => undefined,
    );

  return {
    async append(payload, id) {
      for (;;) {
        if (isFencing) place ??= await ask();
        const behind = place;
        const fence = behind === undefined ? {} : { expectedLastSubjectSequence: behind };
        try {
          const sequence = await appendUntilKnown(args, payload, { id, whenHeld: 'refuse', ...fence });
          if (isFencing) place = sequence;
          return;
        } catch (error) {
          if (behind === undefined || !isFenced(error)) throw error;
          const newest = await newestPlace(stream, subject).catch(() => undefined);
          // Whoever asks next is refused in the same way, and it is looked again.
          if (newest === undefined) throw error;
          // The newest of a source that was quiet for long has gone with its age: nobody has appended.
          const isGone = newest < behind;
          // One that closes has lost the source. One that goes on has it: what another had under way came late.
          if (isGone || !isClosing()) place = newest;
          if (!isGone) throw error;
        }
      }
    },
  };
}

async function newestPlace(stream: LogStream, subject: string): Promise<number> {
  return (await stream.last(subject))?.sequence ?? 0;
}
