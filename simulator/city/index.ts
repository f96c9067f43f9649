/**
 * The simulated city for programs: `simulateCity` speaks to real sources, `cityEvents` and `truthOf` are pure.
 *
 * A run has an end (`durationMs`, or the abort of `signal`). What was not sent by then about what happened before, late
 * messages and corrections included, is sent at once, in order, so that the truth can be told from the messages.
 */
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { simulatorLimits } from '../limits.ts';
import { City, type CityOptions } from './city.ts';
import type { CityEvent } from './events.ts';
import type { TruthRow } from './model/census.ts';
import type { EdVisit } from './model/records.ts';
import { type CitySummary, Tally } from './summary.ts';
import { type CityTargets, openSpeakers, type Speakers } from './transports/speakers.ts';
import { writeTruth } from './truth-files.ts';

export { City, type CityOptions } from './city.ts';
export * from './events.ts';
export { distanceKm, type HospitalSite, hospitalList, hospitals } from './hospitals.ts';
export { type TruthRow, truthColumns } from './model/census.ts';
export type { EdVisit } from './model/records.ts';
export { type ScenarioName, scenarioNames, scenarios } from './model/scenario.ts';
export type { CitySummary } from './summary.ts';
export { bytesOf, type CityTargets, centreName } from './transports/speakers.ts';
export { hospitalsCsv, truthCsv, visitsCsv } from './truth-files.ts';

export interface CityProgress {
  /** Simulated time, ms since the epoch. */
  readonly now: number;
  readonly messages: number;
  readonly feedItems: number;
  readonly accepted: number;
  /** True once the world has stopped and only what is still unsent is being delivered. */
  readonly flushing: boolean;
}

export interface SimulateOptions extends Omit<CityOptions, 'start'> {
  /**
   * Made before, `new City(options)`, by those whose clock is running already: it takes up to a second to play the day
   * before the start. It must have the same seed, hospitals, scenario and start.
   */
  readonly city?: City;
  /** Ms since the epoch; the clock's present by default. */
  readonly start?: number;
  /** Without it the city runs until `signal` is aborted. */
  readonly durationMs?: number;
  /** Times real time, or as fast as the receivers answer. Without meaning when `clock` is given, `max` aside. */
  readonly speed?: number | 'max';
  readonly targets: CityTargets;
  readonly truthFolder?: string;
  /** The clock that the messages are sent by; one that runs at `speed` from `start` by default. */
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
  /** Called for every message as it is handed to its sender. */
  readonly onEvent?: (event: CityEvent) => void;
  /** Called about once a second. */
  readonly onProgress?: (progress: CityProgress) => void;
}

export interface CityResult {
  readonly summary: CitySummary;
  readonly truth: readonly TruthRow[];
  readonly visits: readonly EdVisit[];
}

/** Every message of a run, in the order in which it is sent. */
export function* cityEvents(options: CityOptions & { durationMs: number }): Generator<CityEvent, void, undefined> {
  const city = new City(options);
  const end = city.start + options.durationMs;
  for (let event = city.next(end); event; event = city.next(end)) yield event;
  yield* city.finish(end);
}

/** The truth of a run, for every minute from its start, without its messages. */
export function truthOf(options: CityOptions & { durationMs: number }): TruthRow[] {
  const city = new City(options);
  const end = city.start + options.durationMs;
  while (city.next(end));
  city.finish(end);
  return city.truth;
}

/** Plays the city against real sources. Rejects with a coded error when one cannot be reached or refuses for good. */
export async function simulateCity(options: SimulateOptions): Promise<CityResult> {
  const { seed, hospitals = 8, scenario = 'ordinary', speed = 1, targets, truthFolder, durationMs } = options;
  const start = options.start ?? (options.clock ?? systemClock()).now();
  const city = options.city ?? new City({ seed, hospitals, scenario, start });
  const rate = speed === 'max' ? 1 : speed;
  const clock = options.clock ?? systemClock({ rate, start: city.start });
  const speakers = await openSpeakers(city.sites, targets);
  const tally = new Tally();
  try {
    const end = await play(city, { ...options, clock, speakers, tally, paced: speed !== 'max' });
    await speakers.flush();
    const counts = speakers.counts();
    const summary: CitySummary = {
      seed,
      scenario,
      hospitals: city.sites.length,
      start: new Date(city.start).toISOString(),
      end: new Date(durationMs === undefined ? end : city.start + durationMs).toISOString(),
      hl7: tally.hl7(counts),
      feed: tally.feed(counts),
      bed_files: tally.bedFiles(),
      truth: { rows: city.truth.length, visits: city.visits.length },
    };
    if (truthFolder) await writeTruth(truthFolder, { rows: city.truth, visits: city.visits, summary });
    return { summary, truth: city.truth, visits: city.visits };
  } finally {
    await speakers.close();
  }
}

interface Play extends SimulateOptions {
  readonly clock: Clock;
  readonly speakers: Speakers;
  readonly tally: Tally;
  /** Messages wait for their time. */
  readonly paced: boolean;
}

/** Says everything up to the end, then what is left. Returns the end. */
async function play(city: City, { clock, speakers, tally, paced, signal, ...options }: Play): Promise<number> {
  const { durationMs = Number.POSITIVE_INFINITY, onEvent, onProgress } = options;
  const wanted = city.start + durationMs;
  const wall = systemClock();
  let reportedAt = Number.NEGATIVE_INFINITY;
  const report = (now: number, flushing: boolean) => {
    if (!onProgress || (wall.now() - reportedAt < simulatorLimits.progressEveryMs && !flushing)) return;
    reportedAt = wall.now();
    const { accepted } = speakers.counts();
    onProgress({ now, messages: tally.messages, feedItems: tally.items, accepted, flushing });
  };
  const say = async (event: CityEvent) => {
    tally.add(event);
    onEvent?.(event);
    await speakers.say(event);
  };
  let now = city.start;
  while (!signal?.aborted) {
    // At a pace the city is played only up to the present, so that an abort ends it there.
    const until = paced ? Math.min(wanted, clock.now()) : wanted;
    const event = city.next(Number.isFinite(until) ? until : now + 3_600_000);
    report(now, false);
    if (event) {
      now = event.at;
      await say(event);
    } else if (until >= wanted) {
      break;
    } else if (paced) {
      now = until;
      await pause(clock, Math.min(wanted - until, simulatorLimits.paceMs), signal);
    } else {
      now += 3_600_000;
    }
  }
  const end = signal?.aborted ? Math.min(wanted, Math.ceil((Math.max(now, city.now) + 1) / 1_000) * 1_000) : wanted;
  for (const event of city.finish(end)) await say(event);
  report(end, true);
  return end;
}

async function pause(clock: Clock, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await clock.sleep(delayMs, signal);
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}
