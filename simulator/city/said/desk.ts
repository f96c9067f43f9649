/** A hospital's registration desk and its information system: turns what happens to a patient into HL7 messages. */
import { assert } from '../../../runtime/errors.ts';
import type { HospitalSite } from '../hospitals.ts';
import type { Agenda } from '../model/agenda.ts';
import type { EdVisit, WardStay } from '../model/records.ts';
import type { Person } from '../people.ts';
import { unknownPerson } from '../people.ts';
import { logNormal, type Random } from '../random.ts';
import { type AdtMessage, adtText, hl7Time, laboratoryText, type Observation, type VisitFields } from './hl7.ts';
import type { Outbox } from './outbox.ts';

const minuteMs = 60_000;

/** Point of care of the emergency department in PV1-3. */
const edDepartment = 'ED';

/** Shares of the visits. */
const slipShares = { arrivalTime: 0.025, departureTime: 0.02, lateDeparture: 0.05 } as const;
const unknownShares = { ambulance: 0.1, other: 0.004 } as const;
const arrivalModes = { ambulance: 'A', car: 'C', foot: 'F', 'public-transport': 'P' } as const;

/** What has been told of a visit so far. */
interface Story {
  readonly visit: EdVisit;
  person: Person;
  /** As last written, right or wrong. */
  arrivedAt: number;
  inpatient: boolean;
  /** Where the patient has gone, once that is told. */
  ward: string | null;
  dischargedAt: number | null;
  disposition: string | null;
  recordedAt: number;
}

interface Saying {
  readonly trigger: string;
  readonly occurredAt: number;
  /** Until it is typed in. */
  readonly typedAfterMs?: number;
  readonly visit?: Partial<VisitFields>;
  readonly observations?: readonly Observation[];
  readonly died?: boolean;
  readonly mergedFrom?: string;
}

export interface DeskOptions {
  readonly site: HospitalSite;
  readonly agenda: Agenda;
  readonly random: Random;
  readonly outbox: Outbox;
  /** Added to MSH-7 and EVN-2. */
  readonly skewMs: number;
}

export class Desk {
  readonly #options: DeskOptions;
  readonly #stories = new Map<EdVisit, Story>();
  readonly #application: string;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#application = options.site.system === 'his-a' ? 'HIS-A' : 'HIS-B';
  }

  arrived(visit: EdVisit): void {
    const { random } = this.#options;
    const story = this.#begin(visit);
    if (random.chance(slipShares.arrivalTime)) {
      story.arrivedAt = visit.arrivedAt + random.pick([-20, -12, -10, -7, -5, -3, 2, 4]) * minuteMs;
      this.#later(random.int(6, 40) * minuteMs, () => {
        story.arrivedAt = visit.arrivedAt;
        this.#say(story, { trigger: 'A08', occurredAt: this.#now, observations: this.#known(visit) });
      });
    }
    this.#say(story, { trigger: 'A04', occurredAt: story.arrivedAt, observations: [this.#complaint(visit)] });
  }

  phantomArrival(visit: EdVisit, cancelledAt: number): void {
    const story = this.#begin(visit);
    this.#stories.delete(visit);
    this.#say(story, { trigger: 'A04', occurredAt: visit.arrivedAt, observations: [this.#complaint(visit)] });
    this.#at(cancelledAt, () => this.#say(story, { trigger: 'A11', occurredAt: cancelledAt }));
  }

  #begin(visit: EdVisit): Story {
    const { random, site } = this.#options;
    const share = visit.arrivalMode === 'ambulance' && visit.level <= 2 ? unknownShares.ambulance : unknownShares.other;
    const unknown = random.chance(share);
    const number = Number(visit.id.slice(-6));
    const story: Story = {
      visit,
      person: unknown ? unknownPerson(visit.person, site.id, number) : visit.person,
      arrivedAt: visit.arrivedAt,
      inpatient: false,
      ward: null,
      dischargedAt: null,
      disposition: null,
      recordedAt: 0,
    };
    this.#stories.set(visit, story);
    if (unknown) this.#later(random.int(12, 90) * minuteMs, () => this.#merge(story));
    return story;
  }

  #merge(story: Story): void {
    const mergedFrom = story.person.recordNumber;
    story.person = story.visit.person;
    this.#say(story, { trigger: 'A40', occurredAt: this.#now, mergedFrom });
  }

  triaged(visit: EdVisit): void {
    this.#update(visit, this.#now);
  }

  seen(visit: EdVisit): void {
    const { random, site } = this.#options;
    this.#update(visit, this.#now);
    if (!random.chance(0.25)) return;
    const value = Math.max(0.4, logNormal(random, 1.8, 0.6));
    this.#later(random.int(15, 70) * minuteMs, () => {
      const at = this.#now;
      const type = 'ORU';
      this.#options.outbox.send({
        type: 'ORU_R01',
        about: visit.id,
        recordedAt: at,
        occurredAt: at,
        text: (id, madeAt) => {
          const header = {
            hospital: site.id,
            application: 'LIS',
            type,
            trigger: 'R01',
            id,
            madeAt: this.#stamp(madeAt),
          };
          return laboratoryText(header, visit.person, visit.id, at, value);
        },
      });
    });
  }

  ventilated(visit: EdVisit): void {
    this.#update(visit, this.#now);
  }

  #update(visit: EdVisit, occurredAt: number): void {
    this.#say(this.#story(visit), { trigger: 'A08', occurredAt, observations: this.#known(visit) });
  }

  /** One system makes the visit inpatient at the decision (A06), the other announces it (A14). */
  admitDecided(visit: EdVisit): void {
    this.#sayDecision(this.#story(visit), this.#now);
  }

  #sayDecision(story: Story, at: number): void {
    if (this.#options.site.system === 'his-b') return this.#say(story, { trigger: 'A14', occurredAt: at });
    story.inpatient = true;
    const decision: Observation = { type: 'TS', code: 'ADMIT-DECISION^Quyết định nhập viện^L', value: hl7Time(at), at };
    this.#say(story, { trigger: 'A06', occurredAt: at, observations: [decision] });
  }

  #sayNoDecision(story: Story, at: number): void {
    if (this.#options.site.system === 'his-b') return this.#say(story, { trigger: 'A27', occurredAt: at });
    story.inpatient = false;
    const decision: Observation = { type: 'TS', code: 'ADMIT-DECISION^Quyết định nhập viện^L', value: '""', at };
    this.#say(story, { trigger: 'A07', occurredAt: at, observations: [decision] });
  }

  slip(visit: EdVisit, kind: 'admit-decision' | 'transfer' | 'discharge', cancelledAt: number): void {
    const story = this.#story(visit);
    const now = this.#now;
    if (kind === 'admit-decision') {
      this.#sayDecision(story, now);
      this.#at(cancelledAt, () => this.#sayNoDecision(story, cancelledAt));
    } else if (kind === 'transfer') {
      this.#sayMoved(story, { at: now, ward: 'NOI-TH' });
      this.#at(cancelledAt, () => this.#say(story, { trigger: 'A12', occurredAt: cancelledAt }));
    } else {
      const visitFields = { dischargedAt: now, disposition: '01' };
      this.#say(story, { trigger: 'A03', occurredAt: now, visit: visitFields });
      this.#at(cancelledAt, () => this.#say(story, { trigger: 'A13', occurredAt: cancelledAt }));
    }
  }

  departed(visit: EdVisit): void {
    const { random } = this.#options;
    const story = this.#story(visit);
    this.#stories.delete(visit);
    const late = random.chance(slipShares.lateDeparture) ? random.int(25, 180) * minuteMs : 0;
    if (visit.departedAs === 'ward') {
      story.ward = visit.ward ?? 'NOI-TH';
      this.#sayMoved(story, { at: this.#now, ward: story.ward, ...(late ? { typedAfterMs: late } : {}) });
      return;
    }
    const departedAt = this.#now;
    story.dischargedAt = departedAt;
    story.disposition = { home: '01', 'without-being-seen': '07', 'other-hospital': '02', died: '20' }[
      visit.departedAs ?? 'home'
    ];
    if (!late && random.chance(slipShares.departureTime)) {
      const wrong = departedAt + random.pick([-25, -15, -10, -6, 3, 8]) * minuteMs;
      story.dischargedAt = Math.max(visit.arrivedAt + minuteMs, wrong);
      this.#later(random.int(8, 60) * minuteMs, () => {
        story.dischargedAt = departedAt;
        this.#say(story, { trigger: 'A08', occurredAt: this.#now, observations: this.#known(visit) });
      });
    }
    this.#say(story, {
      trigger: 'A03',
      occurredAt: story.dischargedAt,
      died: visit.departedAs === 'died',
      ...(late ? { typedAfterMs: late } : {}),
    });
  }

  #sayMoved(story: Story, moved: { at: number; ward: string; typedAfterMs?: number }): void {
    const { at, ward, typedAfterMs } = moved;
    const priorPlace = { department: edDepartment, room: story.visit.edPlace };
    this.#say(story, {
      trigger: 'A02',
      occurredAt: at,
      ...(typedAfterMs ? { typedAfterMs } : {}),
      visit: { patientClass: 'I', place: { department: ward }, priorPlace },
    });
  }

  wardAdmitted(stay: WardStay): void {
    this.#sayStay(stay, 'A01');
  }

  wardDischarged(stay: WardStay): void {
    this.#sayStay(stay, 'A03');
  }

  #sayStay(stay: WardStay, trigger: 'A01' | 'A03'): void {
    const { site } = this.#options;
    const at = this.#now;
    const discharge = trigger === 'A03' ? { dischargedAt: at, disposition: '01' } : {};
    const visit: VisitFields = {
      id: stay.id,
      patientClass: 'I',
      place: { department: stay.ward },
      arrivedAt: stay.admittedAt,
      ...discharge,
    };
    this.#send(stay.id, {
      trigger,
      hospital: site.id,
      occurredAt: at,
      recordedAt: at + 20_000,
      person: stay.person,
      visit,
    });
  }

  #story(visit: EdVisit): Story {
    const story = this.#stories.get(visit);
    assert(story, `visit ${visit.id} was registered before anything else is said of it`);
    return story;
  }

  #say(story: Story, saying: Saying): void {
    const { random, site } = this.#options;
    const { visit, person } = story;
    const { trigger, occurredAt, typedAfterMs = random.int(4, 60) * 1000 } = saying;
    const typedAt = Math.max(this.#now, occurredAt) + typedAfterMs;
    story.recordedAt = Math.max(story.recordedAt + 1000, Math.ceil(typedAt / 1000) * 1000);
    const fields: VisitFields = {
      id: visit.id,
      patientClass: story.inpatient || story.ward ? 'I' : 'E',
      place: story.ward ? { department: story.ward } : { department: edDepartment, room: visit.edPlace },
      arrivedAt: story.arrivedAt,
      transferred: visit.transferred,
      arrivalMode: arrivalModes[visit.arrivalMode],
      reason: visit.complaint.text,
      ...(story.dischargedAt === null ? {} : { dischargedAt: story.dischargedAt }),
      ...(story.disposition === null ? {} : { disposition: story.disposition }),
      ...saying.visit,
    };
    this.#send(visit.id, {
      trigger,
      hospital: site.id,
      occurredAt,
      recordedAt: story.recordedAt,
      person,
      ...(trigger === 'A40' ? {} : { visit: fields }),
      ...(saying.mergedFrom ? { mergedFrom: saying.mergedFrom } : {}),
      ...(saying.died ? { died: true } : {}),
      observations: saying.observations ?? [],
    });
  }

  #send(about: string, message: Omit<AdtMessage, 'id' | 'madeAt' | 'application'>): void {
    const { recordedAt, occurredAt, trigger } = message;
    const enhanced = this.#options.site.system === 'his-b';
    const stamped = { ...message, application: this.#application, enhanced, recordedAt: this.#stamp(recordedAt) };
    this.#options.outbox.send({
      type: `ADT_${trigger}`,
      about,
      recordedAt,
      occurredAt,
      text: (id, madeAt) => adtText({ ...stamped, id, madeAt: this.#stamp(madeAt) }),
    });
  }

  /** What is known of a patient who is in the department. */
  #known(visit: EdVisit): Observation[] {
    const known = [this.#complaint(visit)];
    const { triagedAt, seenAt, ventilatedAt, level } = visit;
    if (triagedAt !== null) {
      const code = '11283-9^Mức phân loại cấp cứu^LN';
      known.push({ type: 'NM', code, value: String(level), at: triagedAt });
      known.push({ type: 'TS', code: 'TRIAGED^Thời điểm phân loại^L', value: hl7Time(triagedAt), at: triagedAt });
    }
    if (seenAt !== null) {
      known.push({ type: 'TS', code: 'SEEN^Bác sĩ khám lần đầu^L', value: hl7Time(seenAt), at: seenAt });
    }
    if (ventilatedAt !== null) {
      known.push({ type: 'ID', code: 'VENTILATED^Thở máy^L', value: 'Y', at: ventilatedAt });
    }
    return known;
  }

  #complaint(visit: EdVisit): Observation {
    return { type: 'TX', code: '8661-1^Lý do đến khám^LN', value: visit.complaint.text, at: visit.arrivedAt };
  }

  #stamp(time: number): number {
    return time + this.#options.skewMs;
  }

  get #now(): number {
    return this.#options.agenda.now;
  }

  #at(time: number, run: () => void): void {
    this.#options.agenda.at(time, run, 'paper');
  }

  #later(delayMs: number, run: () => void): void {
    this.#options.agenda.after(delayMs, run, 'paper');
  }
}
