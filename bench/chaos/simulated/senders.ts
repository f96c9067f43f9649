/**
 * Made-up senders: each sends its requests in order, again and again until one is answered, as HL7 senders and dispatchers do.
 * What was answered is owed; what a sender gave up may or may not be there.
 */
import type { Clock } from '../../../runtime/clock.ts';
import type { Random } from '../../../runtime/random.ts';
import type { AppendRequest } from '../../../runtime/stream/source-definition.ts';
import type { SimulatedProcess } from './process.ts';
import { valueRefusedByStore } from './simulated-store.ts';
import type { SourceName } from './workloads.ts';

export type SurgeKind = 'late-events' | 'duplicate-events' | 'poison-events';

export interface SentEvent {
  readonly serial: number;
  readonly id: string;
  readonly hospital: string;
  readonly value: number | null;
  readonly time: number;
}

export interface SentRequest {
  readonly source: SourceName;
  readonly origin: string;
  readonly id: string;
  readonly events: readonly SentEvent[];
  /** What no decoder can read. */
  readonly unreadable: readonly string[];
  /** `owed`: the sender was told that it is safe. `given-up`: it may be there, once at most. */
  state: 'under-way' | 'owed' | 'given-up';
  attempts: number;
}

export interface Sender {
  readonly requests: readonly SentRequest[];
  /** Resolves when the sender has sent what it had to. */
  readonly done: Promise<void>;
  /** One more request, out of turn. */
  surge(kind: SurgeKind, events: number): void;
  /** One event with the time of now, so that windows close. */
  flush(): Promise<void>;
}

export interface World {
  readonly clock: Clock;
  /** A process that takes connections, if there is one. */
  connect(random: Random): SimulatedProcess | undefined;
  /** Whether the answer gets lost between the process and the sender. */
  losesAnswer(): boolean;
  serial(): number;
}

const hospitals = ['H1', 'H2', 'H3'] as const;
const answerWithinMs = 20_000;
const reconnectMs = 700;
const gapMaxMs = 8_000;
const lateByMaxMs = 120_000;
const unreadableRate = 0.04;
const noValueRate = 0.08;
const refusedByStoreRate = 0.03;
const givesUpRate = 0.05;

export function startSender(args: {
  source: SourceName;
  origin: string;
  count: number;
  random: Random;
  world: World;
}): Sender {
  const { source, origin, world } = args;
  const { clock } = world;
  const draws = args.random.fork('content');
  const network = args.random.fork('network');
  const requests: SentRequest[] = [];
  const surges: { kind: SurgeKind; events: number }[] = [];
  let connected: SimulatedProcess | undefined;
  let numbered = 0;

  function valueOf(): number | null {
    if (source === 'beds') return draws.chance(noValueRate) ? null : draws.int(0, 9);
    return draws.chance(refusedByStoreRate) ? valueRefusedByStore : draws.int(0, 9);
  }

  function newEvent(behindMs: number): SentEvent {
    const serial = world.serial();
    const hospital = source === 'beds' && draws.chance(0.8) ? origin : draws.pick(hospitals);
    return { serial, id: `e${serial}`, hospital, value: valueOf(), time: clock.now() - behindMs };
  }

  function newRequest(events: readonly SentEvent[], unreadable: readonly string[] = []): SentRequest {
    const id = `r${numbered++}`;
    const request: SentRequest = { source, origin, id, events, unreadable, state: 'under-way', attempts: 0 };
    requests.push(request);
    return request;
  }

  const unreadableText = () => `unreadable ${origin} ${numbered}.${draws.int(0, 999)}`;

  function usualRequest(): SentRequest {
    const events = Array.from({ length: draws.int(1, 3) }, () => newEvent(draws.int(0, 4_000)));
    return newRequest(events, draws.chance(unreadableRate) ? [unreadableText()] : []);
  }

  function surgeRequest({ kind, events }: { kind: SurgeKind; events: number }): SentRequest {
    const sent = requests.flatMap((request) => [...request.events]);
    const made = Array.from({ length: events }, (): SentEvent => {
      if (kind === 'late-events') return newEvent(draws.int(30_000, lateByMaxMs));
      const event = newEvent(draws.int(0, 2_000));
      if (kind === 'poison-events') return { ...event, value: source === 'beds' ? null : valueRefusedByStore };
      const again = sent.length > 0 ? draws.pick(sent) : event;
      return { ...again, serial: event.serial };
    });
    return newRequest(made, kind === 'poison-events' ? [unreadableText()] : []);
  }

  const appendOf = ({ id, events, unreadable }: SentRequest): AppendRequest => ({
    origin,
    id,
    mark: id,
    events: events.map(({ time, serial, id: event, hospital, value }) => ({
      event: { serial, id: event, hospital, value },
      time,
    })),
    ...(unreadable.length > 0 && {
      deadLetters: unreadable.map((text) => ({
        code: 'MACH9901',
        reason: 'not an event',
        raw: new TextEncoder().encode(text),
        place: { origin },
      })),
    }),
  });

  async function attempt(request: SentRequest): Promise<boolean> {
    // A process may have given the source up to another.
    if (!connected || connected.dead || !connected.source(source)) connected = world.connect(network);
    const context = connected?.source(source);
    if (!connected || !context) return false;
    request.attempts++;
    const answer = context.append(appendOf(request)).then(
      () => true,
      () => false,
    );
    const silence = clock.sleep(answerWithinMs).then(() => false);
    const answered = await Promise.race([answer, silence, connected.died.then(() => false)]);
    if (answered && !world.losesAnswer()) return true;
    connected = undefined;
    return false;
  }

  async function send(request: SentRequest): Promise<void> {
    const attemptsMax = draws.chance(givesUpRate) ? 1 : Number.POSITIVE_INFINITY;
    for (;;) {
      if (await attempt(request)) {
        request.state = 'owed';
        return;
      }
      if (request.attempts >= attemptsMax) {
        request.state = 'given-up';
        return;
      }
      await clock.sleep(reconnectMs);
    }
  }

  async function sendAll(): Promise<void> {
    for (let index = 0; index < args.count; index++) {
      await clock.sleep(draws.int(0, gapMaxMs));
      await send(usualRequest());
      for (let surge = surges.shift(); surge; surge = surges.shift()) await send(surgeRequest(surge));
    }
  }

  let last = sendAll();
  return {
    requests,
    get done() {
      return last;
    },
    surge(kind, events) {
      surges.push({ kind, events });
      // Also when the sender has sent all that it had to.
      last = last.then(async () => {
        for (let surge = surges.shift(); surge; surge = surges.shift()) await send(surgeRequest(surge));
      });
    },
    async flush() {
      const request = newRequest([{ ...newEvent(0), hospital: origin.startsWith('H') ? origin : 'H1', value: 5 }]);
      while (!(await attempt(request))) await clock.sleep(reconnectMs);
      request.state = 'owed';
    },
  };
}
