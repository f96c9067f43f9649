/** The city: its hospitals, the 115 centre, and what comes to them. Pure: the same options, the same history. */
import { distanceKm, type HospitalSite } from '../hospitals.ts';
import { logNormal, type Random } from '../random.ts';
import type { Agenda } from './agenda.ts';
import { countNow, type TruthRow } from './census.ts';
import { Centre, massCasualtyComplaint, nearby } from './centre.ts';
import { EmergencyDepartment } from './emergency.ts';
import type { ArrivalMode, EdVisit, TriageLevel, Voice } from './records.ts';
import { nextOccurrence, rhythms } from './rhythm.ts';
import { type Scenario, surgeFactor } from './scenario.ts';
import { Wards } from './wards.ts';

const minuteMs = 60_000;
const bedFileEveryMs = 15 * minuteMs;
/** The departments run this long before the start, so that they are not empty at it. */
export const warmUpMs = 24 * 60 * minuteMs;
/** Mean share of arrivals that the 115 centre brings; the rest come by themselves. */
const otherArrivalsShare = 0.83;
const casualtyLevels = [15, 28, 37, 20, 0] as const;

interface House {
  readonly site: HospitalSite;
  readonly wards: Wards;
  readonly department: EmergencyDepartment;
  readonly random: Random;
  /** Arrivals since the last whole minute. */
  readonly counter: { arrivals: number };
  pending: Omit<TruthRow, 'arrivals'> | null;
}

export interface CityModelOptions {
  readonly sites: readonly HospitalSite[];
  readonly random: Random;
  readonly scenario: Scenario;
  /** First minute of the truth. */
  readonly start: number;
  readonly agenda: Agenda;
  readonly voice: Voice;
  readonly onTruth: (row: TruthRow) => void;
}

export class CityModel {
  readonly #options: CityModelOptions;
  readonly #houses: House[] = [];
  readonly #centre: Centre;

  constructor(options: CityModelOptions) {
    this.#options = options;
    const { agenda, random, sites, scenario, start } = options;
    for (const site of sites) this.#houses.push(this.#build(site));
    this.#centre = new Centre({
      agenda,
      voice: options.voice,
      random: random.fork('centre'),
      departments: this.#houses.map(({ department }) => department),
      surge: (time) => surgeFactor(scenario, time - start),
      surgeMax: scenario.surge?.factor ?? 1,
    });
    for (const house of this.#houses) {
      this.#scheduleArrival(house);
      this.#scheduleBeds(house, start + house.random.int(20, 100) * 1000);
      agenda.at(start, () => this.#tick(house, start), 'census');
    }
    this.#scheduleMassCasualty();
  }

  /** Patients in the emergency departments now. */
  present(): EdVisit[] {
    return this.#houses.flatMap(({ department }) => [...department.present]);
  }

  #build(site: HospitalSite): House {
    const { agenda, random, voice } = this.#options;
    const own = random.fork(site.id);
    const wards = new Wards(site, agenda, voice, own.fork('wards'));
    const counter = { arrivals: 0 };
    const department = new EmergencyDepartment({
      site,
      agenda,
      voice,
      wards,
      random: own.fork('emergency'),
      sendOn: (visit) => this.#sendOn(visit),
      onArrival: () => counter.arrivals++,
    });
    return { site, random: own, wards, department, counter, pending: null };
  }

  #scheduleArrival(house: House): void {
    const { agenda, scenario, start } = this.#options;
    const process = {
      rhythm: rhythms.ed,
      perDay: house.site.edVisitsPerDay * otherArrivalsShare,
      boost: (time: number) => surgeFactor(scenario, time - start),
      boostMax: scenario.surge?.factor ?? 1,
    };
    agenda.at(nextOccurrence(house.random, process, agenda.now), () => {
      const modes: readonly ArrivalMode[] = ['car', 'foot', 'public-transport'];
      house.department.arrive({ arrivalMode: modes[house.random.weighted([70, 24, 6])] ?? 'car' });
      this.#scheduleArrival(house);
    });
  }

  /** To the nearest hospital that can treat it. */
  #sendOn(visit: EdVisit): boolean {
    const needs = visit.complaint.capability;
    const able = this.#houses.filter(({ site }) => needs !== null && site.capabilities.includes(needs));
    const [first, ...others] = able;
    if (!first) return false;
    const from = visit.hospital;
    const target = others.reduce(
      (best, other) => (distanceKm(other.site, from) < distanceKm(best.site, from) ? other : best),
      first,
    );
    const travelMin = 12 + distanceKm(from, target.site) * 3 + logNormal(target.random, 10, 0.5);
    const { complaint, level } = visit;
    this.#options.agenda.after(travelMin * minuteMs, () =>
      target.department.arrive({ arrivalMode: 'ambulance', transferred: true, complaint, level }),
    );
    return true;
  }

  #scheduleBeds(house: House, at: number): void {
    const { agenda, voice } = this.#options;
    agenda.at(at, () => {
      const { department, wards, site } = house;
      const ventilated = [...department.present].filter(({ ventilatedAt }) => ventilatedAt !== null).length;
      voice.beds(site, { ...wards.counts(), physicians: department.physicians(agenda.now), ventilated });
      this.#scheduleBeds(house, at + bedFileEveryMs);
    });
  }

  #tick(house: House, minute: number): void {
    const { agenda, onTruth } = this.#options;
    const { site, department, pending, counter } = house;
    const onItsSecond = [...department.present].filter(({ arrivedAt }) => arrivedAt === minute).length;
    if (pending) onTruth(completed(pending, counter.arrivals - onItsSecond));
    counter.arrivals = onItsSecond;
    house.pending = countNow(site, department.present, minute, this.#centre.transporting.get(site) ?? 0);
    agenda.at(minute + minuteMs, () => this.#tick(house, minute + minuteMs), 'census');
  }

  /** The last minute is over at `end`. */
  finishTruth(): void {
    for (const { pending, counter } of this.#houses) {
      if (pending) this.#options.onTruth(completed(pending, counter.arrivals));
    }
  }

  #scheduleMassCasualty(): void {
    const { agenda, random, scenario, start } = this.#options;
    const { massCasualty } = scenario;
    const house = massCasualty && this.#houses[massCasualty.hospital % this.#houses.length];
    if (!massCasualty || !house) return;
    const own = random.fork('mass casualty');
    const scene = nearby(own, house.site, 0.5);
    for (let number = 0; number < massCasualty.patients; number++) {
      const at = start + massCasualty.fromMs + own.float() * massCasualty.withinMs;
      const level = (own.weighted(casualtyLevels) + 1) as TriageLevel;
      const complaint = massCasualtyComplaint;
      agenda.at(at, () => {
        if (number < massCasualty.byAmbulance) {
          this.#centre.receive(nearby(own, scene, 0.1), complaint, { level, outcome: 'transported' });
        } else {
          house.department.arrive({ arrivalMode: own.chance(0.7) ? 'car' : 'foot', complaint, level });
        }
      });
    }
  }
}

/** In the order of the columns. */
function completed(row: Omit<TruthRow, 'arrivals'>, arrivals: number): TruthRow {
  const { hospital, minute, census, boarding, waiting, ...rest } = row;
  return { hospital, minute, census, boarding, waiting, arrivals, ...rest };
}
