/** One emergency department: triage, the queue for a physician, treatment, and how the visit ends. */
import type { HospitalSite } from '../hospitals.ts';
import { type Complaint, inventPerson, pickComplaint } from '../people.ts';
import { logNormal, type Random } from '../random.ts';
import type { Agenda } from './agenda.ts';
import type { ArrivalMode, Departure, EdVisit, TriageLevel, Voice } from './records.ts';
import { cityHour } from './rhythm.ts';
import type { Wards } from './wards.ts';

const minuteMs = 60_000;

/** By triage level 1 to 5. Minutes of a physician, minutes of treatment, and shares. */
const assessmentMin = [24, 15, 10, 7, 5] as const;
const treatmentMin = [170, 195, 165, 90, 50] as const;
const patienceMin = [0, 0, 260, 190, 150] as const;
const admittedShare = [0.74, 0.5, 0.25, 0.06, 0.01] as const;
const diedShare = [0.05, 0.004, 0, 0, 0] as const;
const ventilatedShare = [0.34, 0.05, 0.002, 0, 0] as const;
/** Of those who need what the hospital does not have. */
const sentOnShare = [0.55, 0.5, 0.12, 0.02, 0] as const;

/** Wrong entries. */
const slipShare = { arrival: 0.012, admitDecision: 0.012, transfer: 0.03, discharge: 0.015 } as const;

export interface Arrival {
  readonly arrivalMode: ArrivalMode;
  readonly transferred?: boolean;
  readonly complaint?: Complaint;
  readonly level?: TriageLevel;
}

export interface EmergencyOptions {
  readonly site: HospitalSite;
  readonly agenda: Agenda;
  readonly voice: Voice;
  readonly wards: Wards;
  readonly random: Random;
  /** The patient needs another hospital. False: there is none that could help. */
  readonly sendOn: (visit: EdVisit) => boolean;
  readonly onArrival: () => void;
}

export class EmergencyDepartment {
  readonly #options: EmergencyOptions;
  readonly present = new Set<EdVisit>();
  readonly #queue: EdVisit[] = [];
  #busyPhysicians = 0;
  #numbers = 0;

  constructor(options: EmergencyOptions) {
    this.#options = options;
  }

  get site(): HospitalSite {
    return this.#options.site;
  }

  /** Patients per treatment place. */
  get crowding(): number {
    return this.present.size / this.#options.site.edBeds;
  }

  /** Physicians on duty: enough for the mean hour of the shift at 80 % use. */
  physicians(at: number): number {
    const hour = cityHour(at);
    const share = hour >= 7 && hour < 14 ? 1.45 : hour >= 14 && hour < 22 ? 1.4 : 0.62;
    const hourly = (this.#options.site.edVisitsPerDay / 24) * share;
    return Math.max(2, Math.ceil((hourly * 9.5) / 60 / 0.8));
  }

  arrive(arrival: Arrival): void {
    const { agenda, voice, random, site } = this.#options;
    const visit = this.#newVisit(arrival);
    if (!arrival.transferred && arrival.arrivalMode !== 'ambulance' && random.chance(slipShare.arrival)) {
      voice.phantomArrival(this.#newVisit(arrival), agenda.now + random.int(2, 18) * minuteMs);
    }
    this.present.add(visit);
    this.#options.onArrival();
    voice.arrived(visit);
    const nurses = 1 + Math.floor(site.edVisitsPerDay / 120);
    const untriaged = [...this.present].filter((other) => other.triagedAt === null).length;
    const delayMin = visit.level === 1 ? 0.3 : logNormal(random, 3 + (1.6 * untriaged) / nurses, 0.5);
    agenda.after(delayMin * minuteMs + 5_000, () => this.#triage(visit));
    if (random.chance(ventilatedShare[visit.level - 1] ?? 0)) {
      agenda.after(random.int(6, 40) * minuteMs, () => this.#ventilate(visit));
    }
  }

  #newVisit(arrival: Arrival): EdVisit {
    const { agenda, random, site } = this.#options;
    const complaint = arrival.complaint ?? pickComplaint(random);
    const number = ++this.#numbers;
    const drawn = (random.weighted(complaint.levels) + 1) as TriageLevel;
    return {
      hospital: site,
      id: `${site.id}-CC${String(number).padStart(6, '0')}`,
      person: inventPerson(random, site.id, number),
      complaint,
      arrivalMode: arrival.arrivalMode,
      transferred: arrival.transferred ?? false,
      level: arrival.level ?? drawn,
      arrivedAt: agenda.now,
      edPlace: `CC${String(random.int(1, site.edBeds)).padStart(2, '0')}`,
      triagedAt: null,
      seenAt: null,
      admitDecisionAt: null,
      ventilatedAt: null,
      departedAt: null,
      departedAs: null,
      ward: null,
      notBefore: 0,
    };
  }

  #triage(visit: EdVisit): void {
    const { agenda, voice, random } = this.#options;
    visit.triagedAt = agenda.now;
    voice.triaged(visit);
    if (visit.level === 1) {
      agenda.after(random.int(20, 240) * 1000, () => this.#see(visit));
      return;
    }
    this.#queue.push(visit);
    const patience = patienceMin[visit.level - 1] ?? 0;
    if (patience > 0) {
      agenda.after(logNormal(random, patience, 0.5) * minuteMs, () => this.#giveUp(visit));
    }
    agenda.after(15_000, () => this.startNext());
  }

  #giveUp(visit: EdVisit): void {
    const place = this.#queue.indexOf(visit);
    if (place < 0) return;
    this.#queue.splice(place, 1);
    this.#depart(visit, 'without-being-seen');
  }

  /** Physicians who are free take the most acute, then the one who has waited longest. */
  startNext(): void {
    const { agenda } = this.#options;
    while (this.#busyPhysicians < this.physicians(agenda.now) && this.#queue.length > 0) {
      let best = 0;
      for (const [index, visit] of this.#queue.entries()) {
        const leader = this.#queue[best] as EdVisit;
        const before = visit.level - leader.level || visit.arrivedAt - leader.arrivedAt;
        if (before < 0) best = index;
      }
      const [next] = this.#queue.splice(best, 1);
      if (next) this.#see(next);
    }
  }

  #see(visit: EdVisit): void {
    const { agenda, voice, random } = this.#options;
    visit.seenAt = agenda.now;
    this.#busyPhysicians++;
    voice.seen(visit);
    const index = visit.level - 1;
    agenda.after(logNormal(random, assessmentMin[index] ?? 8, 0.45) * minuteMs, () => {
      this.#busyPhysicians--;
      this.startNext();
    });
    const treatmentMs = logNormal(random, treatmentMin[index] ?? 60, 0.55) * minuteMs;
    if (random.chance(slipShare.discharge)) {
      agenda.after(treatmentMs * 0.6, () => this.#slip(visit, 'discharge'));
    }
    agenda.after(treatmentMs, () => this.#decide(visit));
  }

  #ventilate(visit: EdVisit): void {
    const { agenda, voice } = this.#options;
    if (visit.departedAt !== null) return;
    visit.ventilatedAt = agenda.now;
    voice.ventilated(visit);
  }

  #decide(visit: EdVisit): void {
    const { agenda, random, voice, site, sendOn } = this.#options;
    const index = visit.level - 1;
    if (random.chance(diedShare[index] ?? 0)) return this.#depart(visit, 'died');
    const needs = visit.complaint.capability;
    const lacking = needs !== null && !site.capabilities.includes(needs);
    if (lacking && !visit.transferred && random.chance(sentOnShare[index] ?? 0)) {
      if (sendOn(visit)) return this.#depart(visit, 'other-hospital');
    }
    if (!random.chance(admittedShare[index] ?? 0)) {
      if (random.chance(slipShare.admitDecision)) {
        this.#slip(visit, 'admit-decision');
        agenda.at(visit.notBefore, () => this.#depart(visit, 'home'));
        return;
      }
      return this.#depart(visit, 'home');
    }
    visit.admitDecisionAt = agenda.now;
    voice.admitDecided(visit);
    if (random.chance(slipShare.transfer)) {
      agenda.after(random.int(3, 30) * minuteMs, () => this.#slip(visit, 'transfer'));
    }
    this.#options.wards.request(visit, () => this.#depart(visit, 'ward'));
  }

  #slip(visit: EdVisit, kind: 'admit-decision' | 'transfer' | 'discharge'): void {
    const { agenda, random, voice } = this.#options;
    if (visit.departedAt !== null || visit.notBefore > agenda.now) return;
    const cancelledAt = agenda.now + random.int(120, 900) * 1000;
    visit.notBefore = cancelledAt + 150_000;
    voice.slip(visit, kind, cancelledAt);
  }

  #depart(visit: EdVisit, as: Departure): void {
    const { agenda, voice } = this.#options;
    if (visit.departedAt !== null) return;
    if (visit.notBefore > agenda.now) {
      agenda.at(visit.notBefore, () => this.#depart(visit, as));
      return;
    }
    visit.departedAt = agenda.now;
    visit.departedAs = as;
    this.present.delete(visit);
    voice.departed(visit);
  }
}
