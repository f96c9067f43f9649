/**
 * The Publish stream of one centre: a small state machine over its requests.
 *
 * opening -> streaming -> stopped. The first request names the centre; the stream then waits for an older stream of the
 * same centre to settle, and tells the last durable position. From there on each request is read, appended with its last
 * position as the mark, and acknowledged once the append has resolved. Appends resolve in order, so positions only grow.
 */
import type { ServerDuplexStream, StatusObject } from '@grpc/grpc-js';
import { MachError, messageOf, type SourceContext } from '../../runtime/stream/index.ts';
import { feedErrors } from './errors.ts';
import { feedLimits } from './limits.ts';
import { centreProblem, readItems, tooManyItems } from './requests.ts';
import type { Acknowledgement, PublishRequest, PublishResponse } from './wire.ts';

export type PublishCall = ServerDuplexStream<PublishRequest, PublishResponse>;

export interface PublishOptions {
  readonly context: SourceContext;
  readonly requestsInFlightMax: number;
  /** How far in the future a time may lie. */
  readonly aheadMs: number;
  /** Newest stream of each centre. */
  readonly streams: Map<string, PublishStream>;
  /** Position of each centre that is known to be on disk; `context.mark` may be a moment behind. */
  readonly positions: Map<string, number>;
  /** Every stream, for the drain. */
  readonly all: Set<PublishStream>;
}

/** gRPC's own numbers, so that this file does not load the library. https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
const status = { invalid: 3, deadline: 4, exhausted: 8, precondition: 9, aborted: 10, unavailable: 14 } as const;

function durablePosition({ context, positions }: PublishOptions, centre: string): number {
  return Math.max(Number(context.mark(centre) ?? 0), positions.get(centre) ?? 0);
}

/** What the marks say by now need not be remembered: centres come and go. */
function forgetKnown({ context, positions }: PublishOptions): void {
  for (const [centre, position] of positions) {
    if (Number(context.mark(centre) ?? 0) >= position) positions.delete(centre);
  }
}

export class PublishStream {
  readonly #call: PublishCall;
  readonly #options: PublishOptions;
  readonly #timeout: NodeJS.Timeout;
  #state: 'opening' | 'streaming' | 'stopped' = 'opening';
  #centre = '';
  #next = 1;
  #inFlight = 0;
  /** Acknowledgements written to a client that was slow to read; still in flight. */
  #unread = 0;
  /** An older stream of the centre is still settling; nothing may be resumed before it has. */
  #waiting = false;
  #halfClosed = false;
  #ended = false;
  /** Settles when all appends so far have; each waits for the one before, so that acknowledgements keep their order. */
  #previous: Promise<void> = Promise.resolve();
  #settled: (() => void)[] = [];

  constructor(call: PublishCall, options: PublishOptions) {
    this.#call = call;
    this.#options = options;
    options.all.add(this);
    this.#timeout = setTimeout(
      () => this.#fail(status.deadline, feedErrors.make('MACH2118', { timeout_ms: feedLimits.openTimeoutMs })),
      feedLimits.openTimeoutMs,
    );
    call.on('data', (request: PublishRequest) => this.#receive(request));
    call.on('drain', () => this.#drain());
    call.on('end', () => this.#end());
    call.on('cancelled', () => this.#close());
    call.on('error', () => this.#close());
  }

  /** Reads no more, and resolves once what was being appended has settled (and, unless it failed, been acknowledged). */
  async stop(reason: MachError): Promise<void> {
    const wasStopped = this.#state === 'stopped';
    this.#state = 'stopped';
    this.#call.pause();
    if (this.#owes()) await new Promise<void>((resolve) => this.#settled.push(resolve));
    if (!wasStopped) this.#finish(reason.code === 'MACH2107' ? status.unavailable : status.aborted, reason);
  }

  #receive(request: PublishRequest): void {
    if (this.#state === 'stopped') return;
    if (this.#state === 'opening') {
      this.#call.pause();
      this.#open(request).catch((error: unknown) => this.#fail(status.unavailable, error));
      return;
    }
    this.#take(request);
  }

  async #open(request: PublishRequest): Promise<void> {
    const { streams, requestsInFlightMax } = this.#options;
    clearTimeout(this.#timeout);
    const reason = centreProblem(request.centre);
    if (reason !== null) return this.#fail(status.invalid, feedErrors.make('MACH2102', { reason }));
    const centre = request.centre as string;
    const older = streams.get(centre);
    if (!older && streams.size >= feedLimits.centresMax) {
      const data = { what: 'centres', number: streams.size };
      return this.#fail(status.exhausted, feedErrors.make('MACH2116', data));
    }
    this.#centre = centre;
    streams.set(centre, this);
    this.#waiting = true;
    await older?.stop(feedErrors.make('MACH2105', { centre }));
    this.#waiting = false;
    if (this.#state !== 'opening') return this.#settle();
    const position = durablePosition(this.#options, centre);
    this.#next = position + 1;
    this.#state = 'streaming';
    this.#call.write({ resume: { position, requests_in_flight_max: requestsInFlightMax } });
    this.#take(request);
    if (this.#state !== 'streaming') return;
    if (this.#halfClosed && this.#inFlight === 0) return this.#finish();
    if (this.#inFlight < requestsInFlightMax) this.#call.resume();
  }

  #take(request: PublishRequest): void {
    const items = request.items ?? [];
    if (request.centre && request.centre !== this.#centre) {
      const reason = `the stream is of ${this.#centre}, this request of ${request.centre}`;
      return this.#fail(status.invalid, feedErrors.make('MACH2102', { reason }));
    }
    if (items.length === 0) return;
    if (items.length > feedLimits.itemsPerRequestMax) return this.#fail(status.invalid, tooManyItems(items));
    const first = request.first_position ?? 0;
    if (!Number.isSafeInteger(first) || first < 1 || first > this.#next) {
      const data = { found: first, expected: this.#next, centre: this.#centre };
      return this.#fail(status.precondition, feedErrors.make('MACH2103', data));
    }
    const resent = Math.min(items.length, this.#next - first);
    const last = Math.max(first + items.length - 1, this.#next - 1);
    this.#next = last + 1;
    this.#append(request, { first, last, resent });
  }

  #append(request: PublishRequest, { first, last, resent }: { first: number; last: number; resent: number }): void {
    const { context, aheadMs, requestsInFlightMax } = this.#options;
    const items = request.items ?? [];
    const { events, deadLetters, refusals } = readItems(items, {
      centre: this.#centre,
      peer: this.#call.getPeer(),
      from: resent,
      firstPosition: first,
      timeMax: context.clock.now() + aheadMs,
    });
    const acknowledgement: Acknowledgement = {
      position: last,
      accepted: events.length,
      resent,
      refused: deadLetters.length,
      refusals,
    };
    this.#inFlight++;
    if (this.#inFlight >= requestsInFlightMax) this.#call.pause();
    const origin = this.#centre;
    // With nothing new there is nothing to append, but the answer still waits for the appends before it.
    const stored =
      resent === items.length
        ? undefined
        : context.append({ origin, events, deadLetters, mark: String(last), id: `${first + resent}-${last}` });
    this.#previous = Promise.all([this.#previous, stored]).then(() => undefined);
    this.#previous.then(
      () => this.#acknowledge(acknowledgement),
      (error: unknown) => {
        this.#fail(status.unavailable, feedErrors.make('MACH2106', { reason: messageOf(error) }, error));
        this.#release();
      },
    );
  }

  #acknowledge(acknowledgement: Acknowledgement): void {
    const { context, positions } = this.#options;
    positions.set(this.#centre, Math.max(acknowledgement.position ?? 0, positions.get(this.#centre) ?? 0));
    if (positions.size > feedLimits.centresMax) forgetKnown(this.#options);
    const labels = { centre: this.#centre };
    if (acknowledgement.resent) context.count('items_resent_total', acknowledgement.resent, labels);
    if (acknowledgement.refused) context.count('items_refused_total', acknowledgement.refused, labels);
    context.count('items_total', acknowledgement.accepted ?? 0, labels);
    if (this.#ended || this.#call.destroyed) return this.#release();
    // A client that does not read its acknowledgements is not read from either.
    if (this.#call.write({ acknowledgement })) this.#release();
    else this.#unread++;
  }

  #drain(): void {
    for (; this.#unread > 0; this.#unread--) this.#release();
  }

  #release(): void {
    this.#inFlight--;
    if (this.#state === 'stopped') return this.#settle();
    if (this.#halfClosed && this.#inFlight === 0) return this.#finish();
    this.#call.resume();
  }

  #owes(): boolean {
    return this.#inFlight > 0 || this.#waiting;
  }

  /** Leaves the map once nothing is owed: until then a newer stream of the centre must find this one, to wait for it. */
  #settle(): void {
    if (this.#owes() || this.#state !== 'stopped') return;
    const { streams, all } = this.#options;
    all.delete(this);
    if (streams.get(this.#centre) === this) streams.delete(this.#centre);
    for (const resolve of this.#settled.splice(0)) resolve();
  }

  #end(): void {
    this.#halfClosed = true;
    if (!this.#owes()) this.#finish();
  }

  #fail(code: number, error: unknown): void {
    if (this.#state === 'stopped') return;
    this.#finish(
      code,
      error instanceof MachError ? error : feedErrors.make('MACH2106', { reason: messageOf(error) }, error),
    );
  }

  #finish(code?: number, error?: MachError): void {
    this.#close();
    if (this.#ended || this.#call.cancelled) return;
    this.#ended = true;
    if (code === undefined || !error) {
      this.#call.end();
      return;
    }
    this.#options.context.logger.warn({ centre: this.#centre, code: error.code }, error.message);
    const answer: Partial<StatusObject> = { code, details: `${error.code} ${error.message}` };
    this.#call.emit('error', answer);
  }

  #close(): void {
    clearTimeout(this.#timeout);
    this.#state = 'stopped';
    this.#settle();
  }
}
