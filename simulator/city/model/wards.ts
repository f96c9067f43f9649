/** The wards of one hospital: beds fall free by day, are taken by planned patients and by those who wait in the ED. */
import type { HospitalSite } from '../hospitals.ts';
import { inventPerson } from '../people.ts';
import type { Random } from '../random.ts';
import { logNormal } from '../random.ts';
import type { Agenda } from './agenda.ts';
import type { EdVisit, Voice, WardCounts, WardStay } from './records.ts';
import { nextOccurrence, rhythms } from './rhythm.ts';

const minuteMs = 60_000;
const wardNames = ['NOI-TH', 'NGOAI-TH', 'TIM-MACH', 'THAN-KINH', 'HO-HAP', 'CHAN-THUONG', 'TIEU-HOA', 'HSTC'] as const;

/** Shares, of the hospital's beds. */
const occupiedAtFirst = 0.988;
const keptForEmergencies = 0.006;
/** Share of ED visits that end in a ward; with the planned admissions it fixes how many leave the wards in a day. */
const admittedShare = 0.22;
const plannedPerBedDay = 0.06;
/** Patients whose names the wards know; the others lie there since before the simulation. */
const namedStaysMax = 4_000;

export class Wards {
  readonly #site: HospitalSite;
  readonly #agenda: Agenda;
  readonly #voice: Voice;
  readonly #random: Random;
  readonly #waiting: { visit: EdVisit; moved: () => void }[] = [];
  readonly #stays: WardStay[] = [];
  #free: number;
  #numbers = 0;

  constructor(site: HospitalSite, agenda: Agenda, voice: Voice, random: Random) {
    this.#site = site;
    this.#agenda = agenda;
    this.#voice = voice;
    this.#random = random;
    this.#free = Math.round(site.hospitalBeds * (1 - occupiedAtFirst));
    this.#scheduleDischarge();
    this.#schedulePlanned();
  }

  counts(): WardCounts {
    const occupied = this.#site.hospitalBeds - this.#free;
    const icuShare = Math.min(1, (0.9 * occupied) / this.#site.hospitalBeds);
    return { occupied, icuOccupied: Math.round(icuShare * this.#site.icuBeds) };
  }

  /** Asks for a bed. `moved` is called when the patient has got to it. */
  request(visit: EdVisit, moved: () => void): void {
    this.#waiting.push({ visit, moved });
    this.#assign();
  }

  #assign(): void {
    while (this.#free > 0) {
      const next = this.#waiting.shift();
      if (!next) return;
      this.#free--;
      const { visit, moved } = next;
      visit.ward = this.#random.pick(wardNames);
      const delayMs = (10 + logNormal(this.#random, 65, 0.6)) * minuteMs;
      this.#agenda.after(delayMs, () => this.#move(visit, moved));
    }
  }

  #move(visit: EdVisit, moved: () => void): void {
    if (visit.notBefore > this.#agenda.now) {
      this.#agenda.at(visit.notBefore, () => this.#move(visit, moved));
      return;
    }
    moved();
    const { hospital, id, person, arrivedAt } = visit;
    this.#remember({ hospital, id, person, ward: visit.ward ?? wardNames[0], admittedAt: arrivedAt });
  }

  #remember(stay: WardStay): void {
    if (this.#stays.length >= namedStaysMax) this.#stays.shift();
    this.#stays.push(stay);
  }

  #scheduleDischarge(): void {
    const { edVisitsPerDay, hospitalBeds } = this.#site;
    const perDay = admittedShare * edVisitsPerDay + plannedPerBedDay * hospitalBeds;
    const occupancy = (hospitalBeds - this.#free) / hospitalBeds / occupiedAtFirst;
    const process = { rhythm: rhythms.wardDischarges, perDay: perDay * Math.max(0.2, occupancy) };
    const at = nextOccurrence(this.#random, process, this.#agenda.now);
    this.#agenda.at(at, () => {
      this.#discharge();
      this.#scheduleDischarge();
    });
  }

  #discharge(): void {
    if (this.#free >= this.#site.hospitalBeds) return;
    this.#free++;
    const known = this.#stays.length > 0 && this.#random.chance(0.3);
    const stay = known ? this.#stays.splice(this.#random.int(0, this.#stays.length - 1), 1)[0] : undefined;
    this.#voice.wardDischarged(stay ?? this.#inventStay(this.#agenda.now - this.#random.int(1, 9) * 86_400_000));
    this.#assign();
  }

  #schedulePlanned(): void {
    const process = { rhythm: rhythms.electives, perDay: plannedPerBedDay * this.#site.hospitalBeds };
    const at = nextOccurrence(this.#random, process, this.#agenda.now);
    this.#agenda.at(at, () => {
      this.#admitPlanned();
      this.#schedulePlanned();
    });
  }

  /** Planned patients are put off when beds are short. */
  #admitPlanned(): void {
    if (this.#free <= Math.ceil(keptForEmergencies * this.#site.hospitalBeds)) return;
    this.#free--;
    const stay = this.#inventStay(this.#agenda.now);
    this.#remember(stay);
    this.#voice.wardAdmitted(stay);
  }

  #inventStay(admittedAt: number): WardStay {
    const number = 500_000 + ++this.#numbers;
    return {
      hospital: this.#site,
      id: `${this.#site.id}-NT${number}`,
      person: inventPerson(this.#random, this.#site.id, number),
      ward: this.#random.pick(wardNames),
      admittedAt,
    };
  }
}
