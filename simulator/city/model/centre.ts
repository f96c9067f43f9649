/** The 115 centre: calls, ambulances of its satellite stations, the choice of a hospital, and diversions. */
import { createHash } from 'node:crypto';
import { cityBox, distanceKm, type HospitalSite } from '../hospitals.ts';
import { type Complaint, complaints, inventAddress, pickComplaint } from '../people.ts';
import { logNormal, type Random } from '../random.ts';
import type { Agenda } from './agenda.ts';
import type { EmergencyDepartment } from './emergency.ts';
import type { Ambulance, CallOutcome, EmergencyCall, Place, Run, TriageLevel, Voice } from './records.ts';
import { cityHour, nextOccurrence, rhythms } from './rhythm.ts';

const minuteMs = 60_000;

/**
 * The city's centre takes about 1 200 calls a day for some 164 hospitals; the eight simulated ones are large and see two
 * fifths of them.
 */
const callsPerHospitalDay = 60;
const unitsPerStation = 6;
const positionEveryMs = 2 * minuteMs;
const diversionCheckMs = 5 * minuteMs;
/** Patients per treatment place at which a hospital asks ambulances to go elsewhere, and takes them again. */
const diversion = { on: 1.45, off: 1.2, plannedMs: 60 * minuteMs } as const;

const outcomes: readonly CallOutcome[] = [
  'transported',
  'treated_on_scene',
  'refused',
  'false_call',
  'cancelled',
  'deceased',
];
const outcomeWeights = [76, 11, 6, 3.5, 2, 1.5] as const;
const abandonedShare = 0.04;

export interface CentreOptions {
  readonly agenda: Agenda;
  readonly voice: Voice;
  readonly random: Random;
  readonly departments: readonly EmergencyDepartment[];
  /** Calls over the ordinary number, at a time. */
  readonly surge: (time: number) => number;
  /** The most that `surge` gives. */
  readonly surgeMax: number;
}

export class Centre {
  readonly #options: CentreOptions;
  /** Of its own, so that a mass casualty does not change when and where all others call. */
  readonly #callers: Random;
  readonly #units: Ambulance[] = [];
  readonly #queue: EmergencyCall[] = [];
  readonly #diverted = new Set<HospitalSite>();
  /** Ambulances on the way to each hospital with a patient. */
  readonly transporting = new Map<HospitalSite, number>();
  #calls = 0;

  constructor(options: CentreOptions) {
    this.#options = options;
    this.#callers = options.random.fork('callers');
    for (const { site } of options.departments) this.#addStation(site);
    this.#scheduleCall();
    this.#scheduleDiversionCheck();
  }

  #addStation(site: HospitalSite): void {
    const { random } = this.#options;
    for (let number = 1; number <= unitsPerStation; number++) {
      const home = nearby(random, site, 0.8);
      const number2 = String(number).padStart(2, '0');
      this.#units.push({ id: `115-${site.id}-${number2}`, station: `Trạm 115 vệ tinh ${site.id}`, home, run: null });
    }
  }

  #scheduleCall(): void {
    const { agenda, departments, surge, surgeMax } = this.#options;
    const random = this.#callers;
    const perDay = callsPerHospitalDay * departments.length;
    const process = { rhythm: rhythms.calls, perDay, boost: surge, boostMax: surgeMax };
    agenda.at(nextOccurrence(random, process, agenda.now), () => {
      const near = random.pick(departments).site;
      this.receive(nearby(random, near, 3.2), pickComplaint(random));
      this.#scheduleCall();
    });
  }

  /** A call comes in, for a patient at a place. */
  receive(scene: Place, complaint: Complaint, told: { level?: TriageLevel; outcome?: CallOutcome } = {}): void {
    const { agenda, random, voice } = this.#options;
    const number = ++this.#calls;
    const level = (1 +
      random.weighted(complaint.levels.map((weight, index) => weight / (1 + index * 0.6)))) as TriageLevel;
    const drawn = outcomes[random.weighted(outcomeWeights)] ?? 'transported';
    const call: EmergencyCall = {
      id: `C${String(number).padStart(7, '0')}`,
      receivedAt: agenda.now,
      answeredAt: null,
      abandonedAt: null,
      phoneHash: createHash('sha256')
        .update(`made up ${random.int(0, 1_000_000_000)}`)
        .digest('hex')
        .slice(0, 32),
      address: inventAddress(random),
      latitude: scene.latitude,
      longitude: scene.longitude,
      complaint,
      level: told.level ?? level,
      outcome: told.outcome ?? drawn,
      station: null,
    };
    voice.call(call);
    if (!told.outcome && random.chance(abandonedShare)) {
      agenda.after(random.int(8, 45) * 1000, () => {
        call.abandonedAt = agenda.now;
        voice.call(call);
      });
      return;
    }
    agenda.after(logNormal(random, 6_500, 0.6), () => {
      call.answeredAt = agenda.now;
      voice.call(call);
      agenda.after(random.int(40, 130) * 1000, () => this.#request(call));
    });
  }

  /** The caller's need is known: the nearest free ambulance goes, the most urgent call first. */
  #request(call: EmergencyCall): void {
    this.#queue.push(call);
    this.#queue.sort((left, right) => left.level - right.level || left.receivedAt - right.receivedAt);
    this.#dispatch();
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const call = this.#queue[0] as EmergencyCall;
      const free = this.#units.filter(({ run }) => run === null);
      const [first, ...others] = free;
      if (!first) return;
      const unit = others.reduce(
        (best, other) => (distanceKm(other.home, call) < distanceKm(best.home, call) ? other : best),
        first,
      );
      this.#queue.shift();
      this.#start(unit, call);
    }
  }

  #start(unit: Ambulance, call: EmergencyCall): void {
    const { agenda, random, voice } = this.#options;
    const run: Run = {
      call,
      position: unit.home,
      destination: null,
      dispatchNotifiedAt: agenda.now,
      enRouteAt: null,
      arrivedSceneAt: null,
      leftSceneAt: null,
      arrivedDestinationAt: null,
      transferOfCareAt: null,
      backInServiceAt: null,
      outcome: null,
    };
    unit.run = run;
    call.station = unit.station;
    voice.call(call);
    voice.unit(unit, run);
    agenda.after(random.int(35, 110) * 1000, () => {
      run.enRouteAt = agenda.now;
      voice.unit(unit, run);
      if (call.outcome === 'cancelled') {
        agenda.after(random.int(60, 300) * 1000, () => this.#end(unit, run));
        return;
      }
      this.#drive(unit, run, call, () => this.#atScene(unit, run));
    });
  }

  /** Drives along a straight line and tells the position every two minutes. */
  #drive(unit: Ambulance, run: Run, to: Place, arrive: () => void): void {
    const { agenda, random, voice } = this.#options;
    const from = run.position;
    const km = distanceKm(from, to) * 1.35;
    const hour = cityHour(agenda.now);
    const busy = (hour >= 7 && hour < 9) || (hour >= 16.5 && hour < 19);
    const kmPerHour = (busy ? 19 : hour < 5 || hour > 22 ? 36 : 26) * (0.85 + 0.3 * random.float());
    const durationMs = Math.max(60_000, (km / kmPerHour) * 3_600_000);
    for (let passedMs = positionEveryMs; passedMs < durationMs - 20_000; passedMs += positionEveryMs) {
      const part = passedMs / durationMs;
      agenda.after(passedMs, () => {
        run.position = between(from, to, part);
        voice.unit(unit, run);
      });
    }
    agenda.after(durationMs, () => {
      run.position = to;
      arrive();
    });
  }

  #atScene(unit: Ambulance, run: Run): void {
    const { agenda, random, voice } = this.#options;
    run.arrivedSceneAt = agenda.now;
    voice.unit(unit, run);
    const { outcome } = run.call;
    const stayMin = outcome === 'false_call' ? 4 : logNormal(random, 16, 0.35);
    agenda.after(stayMin * minuteMs, () => {
      if (outcome !== 'transported') return this.#end(unit, run);
      run.leftSceneAt = agenda.now;
      const department = this.#destination(run.call);
      run.destination = department.site;
      this.transporting.set(department.site, (this.transporting.get(department.site) ?? 0) + 1);
      voice.unit(unit, run);
      this.#drive(unit, run, department.site, () => this.#atHospital(unit, run, department));
    });
  }

  #atHospital(unit: Ambulance, run: Run, department: EmergencyDepartment): void {
    const { agenda, random, voice } = this.#options;
    run.arrivedDestinationAt = agenda.now;
    this.transporting.set(department.site, (this.transporting.get(department.site) ?? 1) - 1);
    voice.unit(unit, run);
    const { complaint, level } = run.call;
    agenda.after(random.int(20, 150) * 1000, () => department.arrive({ arrivalMode: 'ambulance', complaint, level }));
    const crowdedMin = Math.max(0, department.crowding - 0.9) * 25;
    agenda.after((3 + logNormal(random, 5 + crowdedMin, 0.5)) * minuteMs, () => {
      run.transferOfCareAt = agenda.now;
      run.outcome = 'transported';
      voice.unit(unit, run);
      agenda.after(logNormal(random, 14, 0.4) * minuteMs, () => this.#end(unit, run));
    });
  }

  #end(unit: Ambulance, run: Run): void {
    run.outcome = run.call.outcome;
    run.backInServiceAt = this.#options.agenda.now;
    this.#options.voice.unit(unit, run);
    unit.run = null;
    this.#dispatch();
  }

  /** Nearest in minutes, with the wait of a crowded department added; capability first, diversion if there is a choice. */
  #destination(call: EmergencyCall): EmergencyDepartment {
    const { departments } = this.#options;
    const needs = call.complaint.capability;
    const able = departments.filter(({ site }) => needs === null || site.capabilities.includes(needs));
    const candidates = able.length > 0 ? able : departments;
    const open = candidates.filter(({ site }) => !this.#diverted.has(site));
    const choice = open.length > 0 ? open : candidates;
    const cost = ({ site, crowding }: EmergencyDepartment) =>
      distanceKm(call, site) * 3 + Math.max(0, crowding - 0.8) * 20;
    return choice.reduce((best, other) => (cost(other) < cost(best) ? other : best));
  }

  #scheduleDiversionCheck(): void {
    const { agenda } = this.#options;
    agenda.after(diversionCheckMs, () => {
      for (const department of this.#options.departments) this.#checkDiversion(department);
      this.#scheduleDiversionCheck();
    });
  }

  #checkDiversion({ site, crowding }: EmergencyDepartment): void {
    const { agenda, voice } = this.#options;
    if (crowding > diversion.on && !this.#diverted.has(site)) {
      this.#diverted.add(site);
      voice.diversion(site, true, 'Khoa Cấp cứu quá tải', agenda.now + diversion.plannedMs);
    } else if (crowding < diversion.off && this.#diverted.delete(site)) {
      voice.diversion(site, false, 'Khoa Cấp cứu nhận bệnh trở lại', null);
    }
  }
}

/** The complaint of those hurt in a mass casualty. */
export const massCasualtyComplaint = complaints.find(({ code }) => code === 'tai-nan') as Complaint;

/** A place around another, normally spread, inside the city. */
export function nearby(random: Random, centre: Place, spreadKm: number): Place {
  const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));
  const latitude = centre.latitude + random.normal(0, spreadKm) / 111;
  const longitude = centre.longitude + random.normal(0, spreadKm) / 109;
  return {
    latitude: round5(clamp(latitude, cityBox.south, cityBox.north)),
    longitude: round5(clamp(longitude, cityBox.west, cityBox.east)),
  };
}

function between(from: Place, to: Place, part: number): Place {
  return {
    latitude: round5(from.latitude + (to.latitude - from.latitude) * part),
    longitude: round5(from.longitude + (to.longitude - from.longitude) * part),
  };
}

function round5(value: number): number {
  return Math.round(value * 100_000) / 100_000;
}
