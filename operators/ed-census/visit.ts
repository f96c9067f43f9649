/**
 * A visit to an emergency department, as messages tell of it. Messages come late, twice and out of order; of two that speak of
 * the same fact the one recorded later counts. So the result depends on what was said, never on when it came.
 */

/** A time that something happened (null: it did not, or not yet), and when that was recorded, ms since the epoch. */
export interface Fact {
  value: number | null;
  recordedAt: number;
}

export interface Visit {
  /** An arrival at the department was said (and not taken back): without it the visit does not count. */
  registered: Fact;
  arrived: Fact;
  triaged: Fact;
  triageLevel: number | null;
  seen: Fact;
  admitDecision: Fact;
  departed: Fact;
  ventilatedFrom: Fact;
  ventilatedUntil: Fact;
}

/** The part of an ADT event that matters here; times in ms since the epoch. */
export interface AdtFacts {
  readonly kind: string;
  readonly hospital: string;
  readonly visit_id: string | null;
  readonly prior_visit_id: string | null;
  readonly patient_class: string | null;
  readonly department: string | null;
  readonly prior_department: string | null;
  readonly occurred_at: number;
  readonly recorded_at: number | null;
  readonly admitted_at: number | null;
  readonly discharged_at: number | null;
  readonly triage_level: number | null;
  readonly triaged_at: number | null;
  readonly seen_at: number | null;
  readonly admit_decision_at: number | null;
  readonly ventilated: boolean | null;
  readonly deleted_fields: readonly string[];
}

const unsaid = (): Fact => ({ value: null, recordedAt: Number.NEGATIVE_INFINITY });

export function newVisit(): Visit {
  return {
    registered: unsaid(),
    arrived: unsaid(),
    triaged: unsaid(),
    triageLevel: null,
    seen: unsaid(),
    admitDecision: unsaid(),
    departed: unsaid(),
    ventilatedFrom: unsaid(),
    ventilatedUntil: unsaid(),
  };
}

/** Kinds of ADT events that can change who is in the department. */
export const censusKinds: ReadonlySet<string> = new Set([
  'arrival',
  'registration',
  'admission',
  'transfer',
  'discharge',
  'class-change',
  'update',
  'pending-admission',
  'cancel-arrival',
  'cancel-admission',
  'cancel-transfer',
  'cancel-discharge',
  'cancel-pending-admission',
  'delete-visit',
  'merge',
  'move',
  'change-identifier',
]);

/**
 * Takes what a message says into the visit. Returns the earliest time at which the picture of the department changed,
 * +Infinity when it did not.
 */
export function applyFacts(visit: Visit, facts: AdtFacts, departments: ReadonlySet<string>): number {
  const recordedAt = facts.recorded_at ?? facts.occurred_at;
  const inDepartment = facts.department !== null && departments.has(facts.department);
  let changedFrom = Number.POSITIVE_INFINITY;
  const say = (fact: Fact, value: number | null) => {
    if (recordedAt < fact.recordedAt) return;
    if (fact.value !== value) {
      changedFrom = Math.min(changedFrom, fact.value ?? Number.POSITIVE_INFINITY, value ?? Number.POSITIVE_INFINITY);
    }
    fact.value = value;
    fact.recordedAt = recordedAt;
  };
  const { kind, occurred_at: occurredAt } = facts;

  if (kind === 'arrival' && inDepartment) say(visit.registered, facts.admitted_at ?? occurredAt);
  if (inDepartment && facts.admitted_at !== null) say(visit.arrived, facts.admitted_at);
  else if (kind === 'arrival' && inDepartment) say(visit.arrived, occurredAt);
  if (kind === 'cancel-arrival' || kind === 'delete-visit' || (kind === 'cancel-admission' && inDepartment)) {
    say(visit.registered, null);
  }
  sayDeparture(visit, facts, { departments, inDepartment, say });
  sayAdmission(visit, facts, { inDepartment, say });

  const removed = (name: string) => facts.deleted_fields.includes(name);
  if (facts.triage_level !== null) {
    const before = visit.triageLevel;
    visit.triageLevel = facts.triage_level;
    say(visit.triaged, facts.triaged_at ?? visit.triaged.value ?? occurredAt);
    if (before !== null && before !== facts.triage_level)
      changedFrom = Math.min(changedFrom, visit.triaged.value ?? occurredAt);
  } else if (facts.triaged_at !== null || removed('triaged_at')) say(visit.triaged, facts.triaged_at);
  if (facts.seen_at !== null || removed('seen_at')) say(visit.seen, facts.seen_at);
  changedFrom = Math.min(changedFrom, applyVentilation(visit, facts, recordedAt));
  return changedFrom;
}

type Say = (fact: Fact, value: number | null) => void;

function sayDeparture(
  visit: Visit,
  facts: AdtFacts,
  { departments, inDepartment, say }: { departments: ReadonlySet<string>; inDepartment: boolean; say: Say },
): void {
  const { kind, occurred_at: occurredAt, discharged_at: dischargedAt, prior_department: prior } = facts;
  const fromDepartment = prior === null ? visit.arrived.value !== null : departments.has(prior);
  if (kind === 'transfer' && !inDepartment && facts.department !== null && fromDepartment)
    say(visit.departed, occurredAt);
  if (kind === 'admission' && !inDepartment && facts.department !== null && visit.arrived.value !== null) {
    say(visit.departed, occurredAt);
  }
  if (!inDepartment) return;
  if (kind === 'cancel-transfer' || kind === 'cancel-discharge') say(visit.departed, null);
  if (kind === 'discharge') say(visit.departed, dischargedAt ?? occurredAt);
  if (kind === 'update' && dischargedAt !== null) say(visit.departed, dischargedAt);
}

function sayAdmission(visit: Visit, facts: AdtFacts, { inDepartment, say }: { inDepartment: boolean; say: Say }): void {
  const { kind, occurred_at: occurredAt, admit_decision_at: decidedAt } = facts;
  if (kind === 'cancel-pending-admission' || facts.deleted_fields.includes('admit_decision_at')) {
    say(visit.admitDecision, null);
    return;
  }
  if (decidedAt !== null) say(visit.admitDecision, decidedAt);
  else if (kind === 'pending-admission') say(visit.admitDecision, occurredAt);
  else if (inDepartment && facts.patient_class === 'I' && (kind === 'admission' || kind === 'class-change')) {
    if (visit.admitDecision.value === null) say(visit.admitDecision, occurredAt);
  }
}

/** A ventilator is on from the first time that it was said, until it is said to be off. */
function applyVentilation(visit: Visit, facts: AdtFacts, recordedAt: number): number {
  if (facts.ventilated === null) return Number.POSITIVE_INFINITY;
  const at = Math.min(facts.occurred_at, recordedAt);
  const { ventilatedFrom: from, ventilatedUntil: until } = visit;
  if (facts.ventilated) {
    if (from.value !== null && recordedAt >= from.recordedAt) return Number.POSITIVE_INFINITY;
    const changedFrom = Math.min(from.value ?? at, at);
    from.value = at;
    from.recordedAt = recordedAt;
    return changedFrom;
  }
  if (recordedAt < until.recordedAt || until.value === at) return Number.POSITIVE_INFINITY;
  const changedFrom = Math.min(until.value ?? at, at);
  until.value = at;
  until.recordedAt = recordedAt;
  return changedFrom;
}

/** Whether the patient is in the department at an instant: arrival <= instant < departure. */
export function isPresent(visit: Visit, instant: number): boolean {
  const { registered, arrived, departed } = visit;
  if (registered.value === null || arrived.value === null || arrived.value > instant) return false;
  return departed.value === null || departed.value > instant;
}

/** Earliest time at which the visit shows in the picture; +Infinity when it never did. */
export function visibleFrom(visit: Visit): number {
  return visit.registered.value === null ? Number.POSITIVE_INFINITY : (visit.arrived.value ?? Number.POSITIVE_INFINITY);
}

/** Takes the facts of `other` that were recorded later. */
export function mergeVisits(visit: Visit, other: Visit): void {
  for (const name of [
    'registered',
    'arrived',
    'triaged',
    'seen',
    'admitDecision',
    'departed',
    'ventilatedFrom',
    'ventilatedUntil',
  ] as const) {
    if (other[name].recordedAt > visit[name].recordedAt) visit[name] = other[name];
  }
  visit.triageLevel ??= other.triageLevel;
}
