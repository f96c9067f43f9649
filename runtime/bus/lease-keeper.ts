/**
 * The holder's side of a lease, the same over JetStream and in memory: it asks for a tick again and again, and what is
 * answered says whether the lease is its own and since when.
 *
 * A lease counts from the moment at which the *request* was sent whose answer came: the broker began to count later than
 * that. So a holder whose clock runs regards it as lost before the broker gives it to another. A process that was stopped
 * or blocked may not: two may then believe to hold it, and the fences of the log decide who may write.
 */
import type { Clock, Timer } from '../clock.ts';
import { limits } from '../limits.ts';
import type { Lease, LeaseOptions } from './log.ts';

export type LeaseAnswer =
  /** A tick came, with the name that the broker has for its holder: us. */
  | { readonly kind: 'tick'; readonly pin: string }
  /** The request is over: nothing came, or nobody answers. */
  | { readonly kind: 'nothing' }
  /** The broker does not know us as the holder (any more). */
  | { readonly kind: 'refused' };

export interface LeaseTransport {
  /**
   * Asks for the next tick, as the holder that `pin` names or as somebody who wants to become it, and makes a tick.
   * Answers once at most, never in the turn of the call. Gives what withdraws the request, or undefined when none could be
   * sent.
   */
  ask(pin: string | undefined, answer: (answer: LeaseAnswer) => void): (() => void) | undefined;
  /** Makes a tick: a waiting request is answered only where there is one. */
  tick(): void;
  /** Takes the lease from its holder, whoever that is. */
  unpin(): Promise<void>;
}

interface Request {
  readonly sentAt: number;
  readonly withdraw: () => void;
}

export function keepLease(args: { options: LeaseOptions; transport: LeaseTransport; clock: Clock }): Lease {
  const { options, transport, clock } = args;
  let pin: string | undefined;
  let held = false;
  let validUntil = 0;
  let request: Request | undefined;
  let renewal: Timer | undefined;
  let lapse: Timer | undefined;
  /** It has run out while the process was blocked; the broker is asked whose it is. */
  let inDoubt = false;
  let released: Promise<void> | undefined;

  function withdraw(): void {
    request?.withdraw();
    request = undefined;
  }

  function ask(): void {
    const sentAt = clock.now();
    const withdrawOwn = transport.ask(pin, (answer) => {
      if (request !== own) return;
      request = undefined;
      onAnswer(answer, sentAt);
    });
    const own = withdrawOwn && { sentAt, withdraw: withdrawOwn };
    request = own;
  }

  function onAnswer(answer: LeaseAnswer, sentAt: number): void {
    if (answer.kind === 'nothing') {
      // It has waited its time: the next one must wait in its place when the lease becomes free. One that was turned away at
      // once is repeated with the next renewal.
      if (clock.now() - sentAt >= limits.leaseRenewEveryMs) ask();
      return;
    }
    if (answer.kind === 'refused') {
      // After a restart the broker knows no holder. Whoever asks first becomes it, and until the lease runs out nobody else
      // should: so it is asked for again at once, and is lost only when its time is over.
      pin = undefined;
      ask();
      return;
    }
    if (pin !== answer.pin) {
      // Since when this is so is not known: a request of our own as the holder says it.
      pin = answer.pin;
      ask();
      return;
    }
    validUntil = sentAt + limits.leaseMs;
    if (validUntil <= clock.now()) return;
    inDoubt = false;
    lapse?.cancel();
    lapse = clock.after(validUntil - clock.now(), onLapse);
    if (held) return;
    held = true;
    options.onHeld?.();
  }

  function onLapse(): void {
    const lateMs = clock.now() - validUntil;
    // A timer that comes in time: the broker does not answer, and may give the lease to another.
    if (lateMs < limits.leaseLateTimerMs || !held) return lose('it was not renewed in time');
    // This process was blocked. Most of the time nobody wanted the lease meanwhile: then it is ours again at the first request, and
    // what it stands for need not be closed and opened again. If another had it and has gone again, the fences say so.
    inDoubt = true;
    withdraw();
    ask();
    lapse?.cancel();
    lapse = clock.after(limits.leaseDoubtMs, () => lose('it ran out while this process was blocked'));
  }

  function lose(reason: string): void {
    lapse?.cancel();
    lapse = undefined;
    inDoubt = false;
    pin = undefined;
    withdraw();
    if (!held) return;
    held = false;
    options.onLost?.(reason);
  }

  function renew(): void {
    const now = clock.now();
    // A process that was stopped wakes up here, or at its lapse, whichever timer comes first.
    if (held && now >= validUntil + limits.leaseDoubtMs && !inDoubt) onLapse();
    const waitMax = pin === undefined ? limits.leaseAskMs : limits.leaseRenewEveryMs;
    if (request && now - request.sentAt > waitMax + limits.leaseRenewEveryMs) withdraw();
    if (request) transport.tick();
    else ask();
    renewal = clock.after(limits.leaseRenewEveryMs, renew);
  }

  renew();

  return {
    name: options.name,
    get held() {
      return held && (inDoubt || clock.now() < validUntil);
    },
    evict: () => transport.unpin(),
    release() {
      released ??= (async () => {
        renewal?.cancel();
        lapse?.cancel();
        withdraw();
        const mine = held && clock.now() < validUntil;
        held = false;
        // Only what is surely ours: another may have it by now.
        if (mine) await transport.unpin();
      })();
      return released;
    },
  };
}
