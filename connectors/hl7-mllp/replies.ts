/** Appends of one connection and the replies that they owe, sent in the order of the messages. */
import { type AppendRequest, MachError, messageOf, type SourceContext } from '../../runtime/stream/index.ts';
import { acknowledgementOf, type Verdict } from './acknowledgement.ts';
import { hl7Errors } from './errors.ts';
import { encodeFrame } from './framing.ts';
import type { Header } from './message.ts';

export interface ReplyQueueOptions {
  readonly context: SourceContext;
  readonly connection: string;
  readonly offsetMin: number;
  readonly nextId: () => string;
  /** Called with the replies that are due, framed, when something was settled; empty when nobody is to be told. */
  send(bytes: Buffer): void;
}

export interface Reply {
  readonly verdict: Verdict;
  readonly failure?: MachError;
}

export interface ReplyQueue {
  /** `stored`: the reply once it is in the log; null when there is nobody to answer. */
  append(
    request: AppendRequest,
    header: Header | undefined,
    bytes: number,
    stored: Reply | null,
    /** The dead letter of a message that no message of the log can hold: it would be sent again for ever. */
    tooLarge?: (failure: MachError) => AppendRequest,
  ): void;
  /** Messages without a reply yet, and their bytes. */
  readonly owed: number;
  readonly owedBytes: number;
}

interface Owed {
  reply: Buffer | null;
  settled: boolean;
  readonly bytes: number;
}

export function replyQueue({ context, connection, offsetMin, nextId, send }: ReplyQueueOptions): ReplyQueue {
  const owed: Owed[] = [];
  let owedBytes = 0;

  function replyBytes(header: Header | undefined, { verdict, failure }: Reply): Buffer | null {
    const code = failure?.code;
    const reason = failure?.message;
    const at = context.clock.now();
    const message = acknowledgementOf({ header, verdict, code, reason, at, offsetMin, id: nextId() });
    return message === null ? null : encodeFrame(message);
  }

  function sendDue(): void {
    const due: Buffer[] = [];
    for (let head = owed[0]; head?.settled; head = owed[0]) {
      owed.shift();
      owedBytes -= head.bytes;
      if (head.reply) due.push(head.reply);
    }
    send(Buffer.concat(due));
  }

  function refuse(error: unknown): Reply {
    const failure = hl7Errors.make('MACH2016', { reason: messageOf(error) }, error);
    context.count('messages_refused_total', 1, { code: failure.code });
    context.logger.warn({ connection, code: failure.code }, failure.message);
    return { verdict: 'error', failure };
  }

  return {
    get owed() {
      return owed.length;
    },
    get owedBytes() {
      return owedBytes;
    },
    append(request, header, bytes, stored, tooLarge) {
      const entry: Owed = { reply: null, settled: false, bytes };
      owed.push(entry);
      owedBytes += bytes;
      const settle = (reply: Reply | null) => {
        entry.reply = reply && stored && replyBytes(header, reply);
        entry.settled = true;
        sendDue();
      };
      // A runtime that throws instead of rejecting must not take the process with it.
      Promise.resolve()
        .then(() => context.append(request))
        .then(
          () => settle(stored),
          (error: unknown) => {
            if (!tooLarge || !(error instanceof MachError) || error.code !== 'MACH3202') return settle(refuse(error));
            const failure = hl7Errors.make('MACH2016', { reason: messageOf(error) }, error);
            context.count('dead_letters_total', 1, { code: failure.code });
            return context.append(tooLarge(failure)).then(
              () => settle({ verdict: 'rejected', failure }),
              (later: unknown) => settle(refuse(later)),
            );
          },
        );
    },
  };
}
