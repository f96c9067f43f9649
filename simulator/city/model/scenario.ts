/** Scenarios: what is out of the ordinary, from which minute of the simulation on. */

export const scenarioNames = ['ordinary', 'surge', 'mass-casualty', 'silent-feed', 'clock-skew'] as const;

export type ScenarioName = (typeof scenarioNames)[number];

const minuteMs = 60_000;

export interface Scenario {
  readonly name: ScenarioName;
  readonly summary: string;
  /** Arrivals on foot or by car, and calls, are this many times as many. */
  readonly surge?: { readonly fromMs: number; readonly durationMs: number; readonly factor: number };
  /** Many are hurt near one hospital; `byAmbulance` of them call 115, the others come by themselves. */
  readonly massCasualty?: {
    readonly fromMs: number;
    readonly withinMs: number;
    readonly patients: number;
    readonly byAmbulance: number;
    readonly hospital: number;
  };
  /** One hospital's HL7 feed says nothing, then says it all. */
  readonly silence?: { readonly fromMs: number; readonly durationMs: number; readonly hospital: number };
  /** The clock that stamps messages (MSH-7, EVN-2) is off at one hospital; the clinical times are right. */
  readonly skew?: { readonly byMs: number; readonly hospital: number };
}

/** Times count from the start of the simulation; `hospital` is an index into its list. */
export const scenarios: Readonly<Record<ScenarioName, Scenario>> = {
  ordinary: { name: 'ordinary', summary: 'an ordinary day' },
  surge: {
    name: 'surge',
    summary: 'three times as many patients and calls for three hours, from minute 10',
    surge: { fromMs: 10 * minuteMs, durationMs: 180 * minuteMs, factor: 3 },
  },
  'mass-casualty': {
    name: 'mass-casualty',
    summary: '60 people hurt within 20 minutes near the second hospital, from minute 10',
    massCasualty: { fromMs: 10 * minuteMs, withinMs: 20 * minuteMs, patients: 60, byAmbulance: 20, hospital: 1 },
  },
  'silent-feed': {
    name: 'silent-feed',
    summary: "the first hospital's HL7 feed is silent from minute 10 to minute 35, then sends everything late",
    silence: { fromMs: 10 * minuteMs, durationMs: 25 * minuteMs, hospital: 0 },
  },
  'clock-skew': {
    name: 'clock-skew',
    summary: 'the clock that stamps the messages of the third hospital is 11 minutes fast',
    skew: { byMs: 11 * minuteMs, hospital: 2 },
  },
};

/** How many times the ordinary rate of arrivals and calls, at a time after the start. */
export function surgeFactor(scenario: Scenario, sinceStartMs: number): number {
  const { surge } = scenario;
  if (!surge || sinceStartMs < surge.fromMs || sinceStartMs >= surge.fromMs + surge.durationMs) return 1;
  return surge.factor;
}
