/**
 * A city that can be asked, one by one, for the messages it sends, and for the truth so far. Pure: no clock, no
 * network; the same options give the same messages, byte by byte, and a longer run begins like a shorter one.
 */
import type { BedFileCityEvent, CityEvent, FeedCityEvent, Hl7CityEvent } from './events.ts';
import { type HospitalSite, hospitalList } from './hospitals.ts';
import { Agenda, TimeQueue } from './model/agenda.ts';
import type { TruthRow } from './model/census.ts';
import { CityModel, warmUpMs } from './model/city.ts';
import type { EdVisit, Voice } from './model/records.ts';
import { type ScenarioName, scenarios } from './model/scenario.ts';
import { type Random, seededRandom } from './random.ts';
import { bedFiles } from './said/bed-files.ts';
import { Desk } from './said/desk.ts';
import { DispatchDesk, stillOpen } from './said/dispatch-desk.ts';
import { foreignText } from './said/hl7.ts';
import { Outbox } from './said/outbox.ts';

/** What the hospitals told before the start is told in this time after it, in order. */
const catchUpMs = 30_000;
const catchUpGapMs = 40;

export interface CityOptions {
  readonly seed: number;
  /** How many hospitals, or which. */
  readonly hospitals?: number | readonly HospitalSite[];
  readonly scenario?: ScenarioName;
  /** Ms since the epoch; taken down to the whole minute. */
  readonly start: number;
}

export class City {
  readonly sites: readonly HospitalSite[];
  readonly start: number;
  readonly truth: TruthRow[] = [];
  /** Every visit that was in an emergency department after the start. */
  readonly visits: EdVisit[] = [];
  readonly #agenda: Agenda;
  readonly #model: CityModel;
  readonly #outgoing = new TimeQueue<CityEvent>();
  #ended = false;

  constructor({ seed, hospitals = 8, scenario = 'ordinary', start }: CityOptions) {
    this.sites = typeof hospitals === 'number' ? hospitalList(hospitals) : hospitals;
    this.start = Math.floor(start / 60_000) * 60_000;
    this.#agenda = new Agenda(this.start - warmUpMs);
    const random = seededRandom(`city ${seed}`);
    this.#model = new CityModel({
      sites: this.sites,
      random: random.fork('model'),
      scenario: scenarios[scenario],
      start: this.start,
      agenda: this.#agenda,
      voice: this.#makeVoice(random.fork('said'), scenario),
      onTruth: (row) => void this.truth.push(row),
    });
    this.#warmUp();
  }

  /** Up to when the world has been played. */
  get now(): number {
    return this.#agenda.now;
  }

  /** The next message, when it is sent before `until`. */
  next(until: number): CityEvent | undefined {
    for (;;) {
      const first = this.#outgoing.peek();
      const nextAt = this.#agenda.nextAt;
      if (first && first.at < until && (this.#ended || first.at <= nextAt)) {
        this.#outgoing.pop();
        return first.value;
      }
      if (this.#ended || nextAt >= until) return undefined;
      this.#agenda.step();
    }
  }

  /**
   * The world stops at `end`: nothing that happens later is known. Returns what has been said or will be said about what
   * happened before, and was not sent yet, in the order in which it would have been sent, to be sent at once.
   */
  finish(end: number): CityEvent[] {
    while (!this.#ended && this.#agenda.nextAt < end) this.#agenda.step();
    this.#ended = true;
    this.#agenda.settlePaper();
    this.#model.finishTruth();
    for (const visit of this.#model.present()) this.visits.push(visit);
    const rest: CityEvent[] = [];
    for (let entry = this.#outgoing.pop(); entry; entry = this.#outgoing.pop()) {
      rest.push({ ...entry.value, at: end });
    }
    return rest;
  }

  #emit(event: CityEvent): void {
    this.#outgoing.push(event.at, event);
  }

  #makeVoice(random: Random, scenario: ScenarioName): Voice {
    const agenda = this.#agenda;
    const desks = new Map<HospitalSite, Desk>();
    const bedRandom = new Map<HospitalSite, Random>();
    for (const [index, site] of this.sites.entries()) {
      const own = random.fork(site.id);
      bedRandom.set(site, own.fork('beds'));
      desks.set(site, this.#makeDesk(site, index, own, scenario));
    }
    const desk = (of: { hospital: HospitalSite }) => desks.get(of.hospital) as Desk;
    const centre = new DispatchDesk({ agenda, random: random.fork('115'), emit: (event) => this.#emit(event) });
    return {
      arrived: (visit) => desk(visit).arrived(visit),
      triaged: (visit) => desk(visit).triaged(visit),
      seen: (visit) => desk(visit).seen(visit),
      ventilated: (visit) => desk(visit).ventilated(visit),
      admitDecided: (visit) => desk(visit).admitDecided(visit),
      departed: (visit) => {
        if (agenda.now >= this.start) this.visits.push(visit);
        desk(visit).departed(visit);
      },
      slip: (visit, kind, cancelledAt) => desk(visit).slip(visit, kind, cancelledAt),
      phantomArrival: (visit, cancelledAt) => desk(visit).phantomArrival(visit, cancelledAt),
      wardAdmitted: (stay) => desk(stay).wardAdmitted(stay),
      wardDischarged: (stay) => desk(stay).wardDischarged(stay),
      beds: (site, report) => {
        for (const file of bedFiles(site, report, agenda.now, bedRandom.get(site) as Random)) this.#emit(file);
      },
      call: (call) => centre.call(call),
      unit: (unit, run) => centre.unit(unit, run),
      diversion: (...told) => centre.diversion(...told),
    };
  }

  #makeDesk(site: HospitalSite, hospitalIndex: number, random: Random, scenarioName: ScenarioName): Desk {
    const scenario = scenarios[scenarioName];
    const { skew } = scenario;
    const outbox = new Outbox({
      hospital: site.id,
      hospitalIndex,
      random: random.fork('outbox'),
      scenario,
      start: this.start,
      emit: (event) => this.#emit(event),
      foreign: (id, madeAt) =>
        foreignText({ hospital: site.id, application: 'TIN-NOI-BO', type: 'ZNB', trigger: 'Z01', id, madeAt }, madeAt),
    });
    const skewMs = skew?.hospital === hospitalIndex ? skew.byMs : 0;
    return new Desk({ site, agenda: this.#agenda, random: random.fork('desk'), outbox, skewMs });
  }

  /**
   * Plays the day before. A hospital whose connection comes up at the start tells everything about the patients who are
   * still there, or of whom something is still to be said; the centre tells the runs and diversions that are open.
   */
  #warmUp(): void {
    const said: (Hl7CityEvent | FeedCityEvent | BedFileCityEvent)[] = [];
    for (let event = this.next(this.start); event; event = this.next(this.start)) said.push(event);
    const pending: CityEvent[] = [];
    const about = new Set(this.#model.present().map(({ id }) => id));
    for (let entry = this.#outgoing.pop(); entry; entry = this.#outgoing.pop()) {
      pending.push(entry.value);
      if (entry.value.kind === 'hl7' && entry.value.about !== null) about.add(entry.value.about);
    }
    const feed = stillOpen(said.filter((event) => event.kind === 'feed'));
    const hl7 = said.filter((event) => event.kind === 'hl7' && event.about !== null && about.has(event.about));
    const caughtUp = [...hl7, ...feed];
    const gapMs = Math.min(catchUpGapMs, catchUpMs / Math.max(1, caughtUp.length));
    for (const [index, event] of caughtUp.entries()) {
      this.#emit({ ...event, at: this.start + Math.floor(index * gapMs) });
    }
    for (const event of pending) this.#emit(event);
  }
}
