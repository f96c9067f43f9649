/**
 * Which hospital for a call: one place for the formula.
 *
 *     score = minutes + level * (overload level - 1) + ambulance * ambulances on the way + diversion (when on diversion)
 *
 * in minutes: the ride, and how many minutes further away one would go to avoid an overloaded department, a queue of
 * ambulances, or a hospital that asks ambulances to go elsewhere. The lowest score is the best; equal scores go by distance,
 * then by id. There is no published standard for it: the weights are the policy of the centre, so they are options.
 *
 * Distance: haversine on a sphere of 6371 km. Minutes: distance times a detour factor (roads against the straight line: 1.417
 * over US hospitals, Boscoe, Henry and Zdeb 2012, The Professional Geographer 64:188) at a mean speed.
 *
 * What is not known is not guessed: a hospital whose level is unknown counts as level 2 (neither punished as overloaded nor
 * preferred to one that is known to be quiet) and is shown as unknown; unknown ambulances count as none.
 */

const unknownCountsAsLevel = 2;
const earthRadiusKm = 6371;

export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

export interface Hospital extends Place {
  readonly hospital: string;
  readonly name: string;
  readonly capabilities: readonly string[];
}

/** Newest that is known of a hospital; null: not known. */
export interface HospitalStatus {
  readonly level: number | null;
  readonly nedocs: number | null;
  readonly occupancy: number | null;
  readonly waiting: number | null;
  readonly ambulances: number | null;
}

export interface Weights {
  readonly level: number;
  readonly ambulance: number;
  readonly diversion: number;
}

export interface Travel {
  readonly speedKmPerHour: number;
  readonly detour: number;
}

export interface Ranked {
  readonly rank: number;
  readonly hospital: string;
  readonly name: string;
  readonly distance_km: number;
  readonly minutes: number;
  readonly level: number | null;
  readonly nedocs: number | null;
  readonly on_diversion: boolean;
  readonly score: number;
  readonly reason: string;
}

export const unknownStatus: HospitalStatus = Object.freeze({
  level: null,
  nedocs: null,
  occupancy: null,
  waiting: null,
  ambulances: null,
});

/** Kilometres between two places in a straight line. */
export function haversineKm(from: Place, to: Place): number {
  const radians = Math.PI / 180;
  const latitudes = Math.sin(((to.latitude - from.latitude) * radians) / 2) ** 2;
  const longitudes = Math.sin(((to.longitude - from.longitude) * radians) / 2) ** 2;
  const chord = latitudes + Math.cos(from.latitude * radians) * Math.cos(to.latitude * radians) * longitudes;
  return 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(chord)));
}

/** The hospitals that can treat it; all of them, when none can. */
export function capableOf(
  hospitals: readonly Hospital[],
  capability: string | null,
): { candidates: readonly Hospital[]; met: boolean } {
  if (capability === null) return { candidates: hospitals, met: true };
  const candidates = hospitals.filter(({ capabilities }) => capabilities.includes(capability));
  return candidates.length > 0 ? { candidates, met: true } : { candidates: hospitals, met: false };
}

export function rankHospitals(args: {
  scene: Place;
  candidates: readonly Hospital[];
  statusOf(hospital: string): HospitalStatus;
  isDiverted(hospital: string): boolean;
  /** A capability that none of the candidates has, to be named. */
  lacking: string | null;
  weights: Weights;
  travel: Travel;
  best: number;
}): Ranked[] {
  const { scene, candidates, statusOf, isDiverted, lacking, weights, travel, best } = args;
  const scored = candidates.map((hospital) => {
    const distanceKm = haversineKm(scene, hospital);
    const minutes = ((distanceKm * travel.detour) / travel.speedKmPerHour) * 60;
    const status = statusOf(hospital.hospital);
    const diverted = isDiverted(hospital.hospital);
    const score =
      minutes +
      weights.level * ((status.level ?? unknownCountsAsLevel) - 1) +
      weights.ambulance * (status.ambulances ?? 0) +
      (diverted ? weights.diversion : 0);
    return { hospital, distanceKm, minutes, status, diverted, score };
  });
  scored.sort(
    (a, b) => a.score - b.score || a.distanceKm - b.distanceKm || (a.hospital.hospital < b.hospital.hospital ? -1 : 1),
  );
  return scored.slice(0, best).map(({ hospital, distanceKm, minutes, status, diverted, score }, index) => ({
    rank: index + 1,
    hospital: hospital.hospital,
    name: hospital.name,
    distance_km: round1(distanceKm),
    minutes: round1(minutes),
    level: status.level,
    nedocs: status.nedocs,
    on_diversion: diverted,
    score: round1(score),
    reason: describe({ distanceKm, minutes, status, diverted, lacking }),
  }));
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}

const capabilityNames: Readonly<Record<string, string>> = {
  stroke: 'đột quỵ',
  trauma: 'chấn thương',
  burn: 'bỏng',
  obstetric: 'sản khoa',
  paediatric: 'nhi khoa',
  cardiac: 'tim mạch',
};

/** For dispatchers. */
function describe(args: {
  distanceKm: number;
  minutes: number;
  status: HospitalStatus;
  diverted: boolean;
  lacking: string | null;
}): string {
  const { distanceKm, minutes, status, diverted, lacking } = args;
  const number = (value: number) => String(round1(value)).replace('.', ',');
  const parts = [`${number(distanceKm)} km, khoảng ${Math.round(minutes)} phút`];
  if (status.level === null) parts.push('chưa rõ mức quá tải');
  else parts.push(`mức quá tải ${status.level}${status.nedocs === null ? '' : ` (NEDOCS ${number(status.nedocs)})`}`);
  if (status.occupancy !== null) parts.push(`công suất ${Math.round(status.occupancy * 100)} %`);
  if (status.waiting !== null) parts.push(`${status.waiting} người chờ khám`);
  if (status.ambulances !== null && status.ambulances > 0) parts.push(`${status.ambulances} xe đang đến`);
  if (diverted) parts.push('đang đề nghị chuyển hướng');
  if (lacking !== null) parts.push(`không nơi nào có ${capabilityNames[lacking] ?? lacking}`);
  return parts.join('; ');
}
