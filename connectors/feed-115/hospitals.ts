/**
 * WatchHospitals: the newest load of each hospital, to many watchers. What waits for a watcher is bounded by the number of
 * hospitals: a newer load takes the place of the one that was not sent yet.
 */
import type { ServerWritableStream } from '@grpc/grpc-js';
import { type Event, messageOf, type SourceContext } from '../../runtime/stream/index.ts';
import { feedErrors } from './errors.ts';
import { feedLimits } from './limits.ts';
import type { HospitalLoad, WatchHospitalsRequest, WatchHospitalsResponse } from './wire.ts';

export type WatchCall = ServerWritableStream<WatchHospitalsRequest, WatchHospitalsResponse>;

/** Subject of `context.subscribe` that carries the load of hospitals. */
const loadSubject = 'hospital-load';

const finite = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;
const whole = (value: unknown): number | undefined => {
  const number = finite(value);
  return number === undefined || Math.abs(number) > 2_147_483_647 ? undefined : Math.round(number);
};

/** ISO 8601, as a `nats` sink writes it, or ms. */
const timeOf = (value: unknown): number | undefined => {
  const time = typeof value === 'string' ? Date.parse(value) : value;
  return Number.isSafeInteger(time) ? (time as number) : undefined;
};

/** What is known of a hospital in an event of any shape; null when it names none. */
function loadOf(event: Event): HospitalLoad | null {
  const { hospital, minute, level, nedocs, occupancy, waiting, boarding, ambulances_on_the_way, diversion } = event;
  if (typeof hospital !== 'string' || hospital === '') return null;
  const load: HospitalLoad = { hospital };
  const known = {
    minute_ms: timeOf(minute),
    level: whole(level),
    nedocs: finite(nedocs),
    occupancy: finite(occupancy),
    waiting: whole(waiting),
    boarding: whole(boarding),
    ambulances_on_the_way: whole(ambulances_on_the_way),
    diversion: typeof diversion === 'boolean' ? diversion : undefined,
  };
  for (const [name, value] of Object.entries(known)) if (value !== undefined) Object.assign(load, { [name]: value });
  return load;
}

class Watcher {
  readonly #call: WatchCall;
  readonly #newest: ReadonlyMap<string, HospitalLoad>;
  readonly #wanted: ReadonlySet<string> | null;
  readonly #dirty = new Set<string>();
  #blocked = false;

  constructor(call: WatchCall, newest: ReadonlyMap<string, HospitalLoad>) {
    this.#call = call;
    this.#newest = newest;
    const names = call.request.hospitals ?? [];
    this.#wanted = names.length > 0 ? new Set(names) : null;
    call.on('drain', () => {
      this.#blocked = false;
      this.#send();
    });
    for (const hospital of newest.keys()) if (!this.#wanted || this.#wanted.has(hospital)) this.#dirty.add(hospital);
    this.#send();
  }

  changed(hospital: string): void {
    if (this.#wanted && !this.#wanted.has(hospital)) return;
    this.#dirty.add(hospital);
    this.#send();
  }

  end(): void {
    this.#call.end();
  }

  #send(): void {
    for (const hospital of this.#dirty) {
      if (this.#blocked) return;
      this.#dirty.delete(hospital);
      const load = this.#newest.get(hospital);
      if (load && !this.#call.write({ load })) this.#blocked = true;
    }
  }
}

export interface HospitalBoard {
  watch(call: WatchCall): void;
  close(): void;
}

async function follow(context: SourceContext, signal: AbortSignal, take: (event: Event) => void): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const event of context.subscribe(loadSubject, signal)) take(event);
    } catch (error) {
      if (signal.aborted) return;
      context.logger.warn({ subject: loadSubject, reason: messageOf(error) }, 'results lost; subscribing again');
    }
    await context.clock.sleep(feedLimits.resubscribeDelayMs, signal).catch(() => undefined);
  }
}

/** Follows the load of the hospitals and tells it to those who watch. */
export function openHospitalBoard(context: SourceContext): HospitalBoard {
  const newest = new Map<string, HospitalLoad>();
  const watchers = new Set<Watcher>();
  const stop = new AbortController();
  void follow(context, stop.signal, (event) => {
    const load = loadOf(event);
    if (!load?.hospital) return;
    if (!newest.has(load.hospital) && newest.size >= feedLimits.hospitalsMax) {
      context.count('hospital_load_dropped_total', 1, { reason: 'hospitals_max' });
      return;
    }
    newest.set(load.hospital, load);
    for (const watcher of watchers) watcher.changed(load.hospital);
  });
  const refuse = (call: WatchCall, code: number, error: Error & { code: string }) =>
    call.emit('error', { code, details: `${error.code} ${error.message}` });
  return {
    watch(call) {
      const names = call.request.hospitals ?? [];
      if (watchers.size >= feedLimits.watchersMax) {
        refuse(call, 8, feedErrors.make('MACH2116', { what: 'streams watch hospitals', number: watchers.size }));
        return;
      }
      if (names.length > feedLimits.hospitalsPerWatchMax) {
        const data = { items: names.length, items_max: feedLimits.hospitalsPerWatchMax };
        refuse(call, 3, feedErrors.make('MACH2104', data));
        return;
      }
      const watcher = new Watcher(call, newest);
      watchers.add(watcher);
      const forget = () => void watchers.delete(watcher);
      call.on('cancelled', forget);
      call.on('error', forget);
      call.on('close', forget);
    },
    close() {
      stop.abort();
      for (const watcher of watchers) watcher.end();
      watchers.clear();
    },
  };
}
