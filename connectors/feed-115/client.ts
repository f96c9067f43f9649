/**
 * What a 115 centre runs: sends items with positions, keeps those that are not acknowledged, and goes on where the server
 * says after any break. Several requests are on the way at once. Used by the simulator, the bench and the tests, and to be
 * copied by those who write a centre's own sender.
 */
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { MachError } from '../../runtime/stream/index.ts';
import { feedErrors } from './errors.ts';
import { feedLimits } from './limits.ts';
import { type ConnectOptions, type FeedStub, openStub } from './stub.ts';
import type { Acknowledgement, Item, PublishRequest, PublishResponse, Resume } from './wire.ts';

export interface FeedClientOptions extends ConnectOptions {
  /** `host:port`. */
  readonly address: string;
  readonly centre: string;
  /** Items in one request (default 200) and how long the first waits for the others (default 5 ms). */
  readonly batchItemsMax?: number;
  readonly batchDelayMs?: number;
  /** Items kept without an acknowledgement before `send` waits (default 100 000). */
  readonly keptItemsMax?: number;
  /** Requests on the way; at most what the server allows (default 32). */
  readonly inFlightMax?: number;
  /** Wait before connecting again: the first, doubled up to the longest (default 100 ms to 5 s). */
  readonly reconnectDelayMs?: number;
  readonly reconnectDelayMaxMs?: number;
  /** Called with every acknowledgement. */
  readonly onAcknowledgement?: (acknowledgement: Acknowledgement) => void;
  /** Called when a stream has ended by an error and will be opened again. */
  readonly onDisconnect?: (error: Error) => void;
}

export interface FeedClient {
  /** Takes an item. Resolves at once, or when there is room. Rejects after `close` or a fatal error. */
  send(item: Item): Promise<void>;
  /** Resolves when everything sent so far is acknowledged. */
  flush(): Promise<void>;
  /** Position of the last item on disk at the server, as it said. */
  readonly acknowledged: number;
  /** Items taken that are not acknowledged. */
  readonly kept: number;
  /** Items that the server refused (they became dead letters). */
  readonly refused: number;
  /** Ends the stream without waiting: what is not acknowledged is given up. Flush first. */
  close(): Promise<void>;
}

/** Errors that another try would meet again. */
const fatalCodes = ['MACH2102', 'MACH2104', 'MACH2109'];

class Client implements FeedClient {
  readonly #options: FeedClientOptions;
  readonly #stub: FeedStub;
  /** Items from position `#base` on. The first `#cursor` of them have been written to the present stream. */
  #items: Item[] = [];
  #base: number | null = null;
  #cursor = 0;
  #head = 0;
  #stream: ClientDuplexStream<PublishRequest, PublishResponse> | null = null;
  #resumed = false;
  #inFlight = 0;
  #inFlightMax = 1;
  #blocked = false;
  #delayMs: number;
  #timer: NodeJS.Timeout | null = null;
  #retry: NodeJS.Timeout | null = null;
  #closed: Error | null = null;
  #waiters: { readonly done: () => boolean; readonly resolve: () => void; readonly reject: (error: Error) => void }[] =
    [];
  acknowledged = 0;
  refused = 0;

  constructor(stub: FeedStub, options: FeedClientOptions) {
    this.#stub = stub;
    this.#options = options;
    this.#delayMs = options.reconnectDelayMs ?? 100;
    this.#connect();
  }

  get kept(): number {
    return this.#items.length - this.#head;
  }

  async send(item: Item): Promise<void> {
    if (this.#closed) throw this.#closed;
    this.#items.push(item);
    const { batchItemsMax = 200, batchDelayMs = 5, keptItemsMax = 100_000 } = this.#options;
    if (this.#items.length - this.#cursor >= batchItemsMax) this.#pump();
    else this.#timer ??= setTimeout(() => this.#pump({ partial: true }), batchDelayMs);
    if (this.kept >= keptItemsMax) await this.#until(() => this.kept < keptItemsMax);
  }

  async flush(): Promise<void> {
    this.#pump({ partial: true });
    await this.#until(() => this.kept === 0);
  }

  async close(): Promise<void> {
    this.#stop(new Error('the client is closed'));
  }

  #until(done: () => boolean): Promise<void> {
    if (this.#closed) return Promise.reject(this.#closed);
    if (done()) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ done, resolve, reject }));
  }

  #connect(): void {
    if (this.#closed) return;
    const stream = this.#stub.publish();
    this.#stream = stream;
    this.#resumed = false;
    this.#inFlight = 0;
    this.#blocked = false;
    stream.on('data', (response: PublishResponse) => {
      if (stream !== this.#stream) return;
      if (response.resume) this.#resume(response.resume);
      if (response.acknowledgement) this.#acknowledge(response.acknowledgement);
    });
    stream.on('drain', () => {
      this.#blocked = false;
      this.#pump();
    });
    stream.on('error', (error: ServiceError) => this.#lost(stream, error));
    stream.on('end', () => this.#lost(stream, new Error('the server ended the stream')));
    stream.write({ centre: this.#options.centre });
  }

  #resume({ position = 0, requests_in_flight_max = 1 }: Resume): void {
    const { inFlightMax = 32, reconnectDelayMs = 100, centre } = this.#options;
    this.#delayMs = reconnectDelayMs;
    this.#inFlightMax = Math.min(inFlightMax, requests_in_flight_max);
    // The first time, the server's word is where this client starts to count.
    this.#base ??= position + 1;
    if (position < this.#base + this.#head - 1) {
      const data = { centre, durable: position, acknowledged: this.acknowledged };
      return this.#stop(feedErrors.make('MACH2108', data));
    }
    this.#forget(position);
    this.#cursor = this.#head;
    this.#resumed = true;
    this.#pump({ partial: true });
    this.#wake();
  }

  #acknowledge(acknowledgement: Acknowledgement): void {
    this.#inFlight--;
    this.refused += acknowledgement.refused ?? 0;
    this.#forget(acknowledgement.position ?? 0);
    this.#options.onAcknowledgement?.(acknowledgement);
    this.#pump();
    this.#wake();
  }

  /** Forgets the items up to a position; in steps, so that a large queue is not moved for every acknowledgement. */
  #forget(position: number): void {
    const base = this.#base ?? 1;
    this.acknowledged = Math.max(this.acknowledged, position);
    this.#head = Math.min(Math.max(this.#head, position - base + 1), this.#items.length);
    this.#cursor = Math.max(this.#cursor, this.#head);
    if (this.#head < 4_096 || this.#head * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#base = base + this.#head;
    this.#cursor -= this.#head;
    this.#head = 0;
  }

  #pump({ partial = false }: { partial?: boolean } = {}): void {
    if (partial && this.#timer) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
    const { batchItemsMax = 200 } = this.#options;
    const least = partial || !this.#timer ? 1 : Math.min(batchItemsMax, feedLimits.itemsPerRequestMax);
    while (this.#resumed && this.#stream && !this.#blocked && this.#inFlight < this.#inFlightMax) {
      const waiting = this.#items.length - this.#cursor;
      if (waiting < least) return;
      const count = Math.min(waiting, batchItemsMax, feedLimits.itemsPerRequestMax);
      const items = this.#items.slice(this.#cursor, this.#cursor + count);
      const first_position = (this.#base ?? 1) + this.#cursor;
      this.#cursor += count;
      this.#inFlight++;
      this.#blocked = !this.#stream.write({ first_position, items });
    }
  }

  #lost(stream: ClientDuplexStream<PublishRequest, PublishResponse>, error: ServiceError | Error): void {
    if (stream !== this.#stream) return;
    this.#stream = null;
    this.#resumed = false;
    if (this.#closed) return;
    const details = 'details' in error ? error.details : error.message;
    const code = /^MACH\d+/.exec(details)?.[0];
    if (code && fatalCodes.includes(code)) return this.#stop(new MachError(code, details, {}, error));
    this.#options.onDisconnect?.(error);
    const delayMs = this.#delayMs;
    this.#delayMs = Math.min(delayMs * 2, this.#options.reconnectDelayMaxMs ?? 5_000);
    this.#retry = setTimeout(() => this.#connect(), delayMs);
  }

  #wake(): void {
    if (this.#waiters.length === 0) return;
    const waiting = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiting) {
      if (waiter.done()) waiter.resolve();
      else this.#waiters.push(waiter);
    }
  }

  #stop(error: Error): void {
    if (this.#closed) return;
    this.#closed = error;
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#retry) clearTimeout(this.#retry);
    this.#stream?.cancel();
    this.#stub.close();
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }
}

/** Connects, in the background and again after every break, until `close`. */
export async function connectFeed(options: FeedClientOptions): Promise<FeedClient> {
  return new Client(await openStub(options.address, options), options);
}

export type { ConnectOptions } from './stub.ts';
export { watchHospitals } from './stub.ts';
export * from './wire.ts';
