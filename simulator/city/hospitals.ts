/**
 * The hospitals of the simulated city. All invented: names, streets and wards do not exist; only the box of coordinates
 * is that of Ho Chi Minh City.
 */
import { seededRandom } from './random.ts';

/** What a hospital can treat at any hour; the names of `feed-115`. */
export type Capability = 'stroke' | 'trauma' | 'burn' | 'obstetric' | 'paediatric' | 'cardiac';

export interface HospitalSite {
  /** Its code everywhere: MSH-4, the 115 feed, bed files. */
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly capabilities: readonly Capability[];
  /** Treatment places of the emergency department. */
  readonly edBeds: number;
  readonly hospitalBeds: number;
  readonly icuBeds: number;
  /** Mean emergency arrivals a day, ambulances included. */
  readonly edVisitsPerDay: number;
  /** Hospital information system: decides how admission decisions are said. */
  readonly system: 'his-a' | 'his-b';
}

export const cityBox = { south: 10.7, north: 10.9, west: 106.58, east: 106.82 } as const;

export const hospitals: readonly HospitalSite[] = [
  {
    id: 'H1',
    name: 'Bệnh viện Thử nghiệm An Bình',
    address: '1 đường Thử Nghiệm 1, phường Mẫu Hòa, Thành phố Hồ Chí Minh',
    latitude: 10.7562,
    longitude: 106.6621,
    capabilities: ['stroke', 'trauma', 'burn', 'cardiac'],
    edBeds: 52,
    hospitalBeds: 1600,
    icuBeds: 90,
    edVisitsPerDay: 330,
    system: 'his-a',
  },
  {
    id: 'H2',
    name: 'Bệnh viện Thử nghiệm Bến Sông',
    address: '22 đường Thử Nghiệm 2, phường Mẫu Sông, Thành phố Hồ Chí Minh',
    latitude: 10.7801,
    longitude: 106.7023,
    capabilities: ['stroke', 'trauma', 'cardiac'],
    edBeds: 40,
    hospitalBeds: 1100,
    icuBeds: 60,
    edVisitsPerDay: 260,
    system: 'his-b',
  },
  {
    id: 'H3',
    name: 'Bệnh viện Thử nghiệm Nhi Đồng Hoa Mai',
    address: '33 đường Thử Nghiệm 3, phường Mẫu Mai, Thành phố Hồ Chí Minh',
    latitude: 10.7688,
    longitude: 106.6706,
    capabilities: ['paediatric', 'burn'],
    edBeds: 36,
    hospitalBeds: 900,
    icuBeds: 70,
    edVisitsPerDay: 240,
    system: 'his-a',
  },
  {
    id: 'H4',
    name: 'Bệnh viện Thử nghiệm Đồi Xanh',
    address: '4 đường Thử Nghiệm 4, phường Mẫu Xanh, Thành phố Hồ Chí Minh',
    latitude: 10.8491,
    longitude: 106.7712,
    capabilities: ['trauma', 'stroke'],
    edBeds: 30,
    hospitalBeds: 760,
    icuBeds: 36,
    edVisitsPerDay: 190,
    system: 'his-b',
  },
  {
    id: 'H5',
    name: 'Bệnh viện Thử nghiệm Cầu Gỗ',
    address: '55 đường Thử Nghiệm 5, phường Mẫu Gỗ, Thành phố Hồ Chí Minh',
    latitude: 10.8123,
    longitude: 106.6334,
    capabilities: ['trauma', 'obstetric'],
    edBeds: 28,
    hospitalBeds: 640,
    icuBeds: 30,
    edVisitsPerDay: 170,
    system: 'his-a',
  },
  {
    id: 'H6',
    name: 'Bệnh viện Thử nghiệm Từ Tâm',
    address: '6 đường Thử Nghiệm 6, phường Mẫu Tâm, Thành phố Hồ Chí Minh',
    latitude: 10.7684,
    longitude: 106.6864,
    capabilities: ['obstetric', 'paediatric'],
    edBeds: 22,
    hospitalBeds: 820,
    icuBeds: 28,
    edVisitsPerDay: 130,
    system: 'his-b',
  },
  {
    id: 'H7',
    name: 'Bệnh viện Thử nghiệm Rạch Sen',
    address: '77 đường Thử Nghiệm 7, phường Mẫu Sen, Thành phố Hồ Chí Minh',
    latitude: 10.7322,
    longitude: 106.7209,
    capabilities: ['stroke', 'cardiac', 'obstetric'],
    edBeds: 20,
    hospitalBeds: 420,
    icuBeds: 24,
    edVisitsPerDay: 110,
    system: 'his-a',
  },
  {
    id: 'H8',
    name: 'Bệnh viện Thử nghiệm Vườn Lài',
    address: '8 đường Thử Nghiệm 8, phường Mẫu Lài, Thành phố Hồ Chí Minh',
    latitude: 10.8702,
    longitude: 106.6127,
    capabilities: ['trauma'],
    edBeds: 16,
    hospitalBeds: 320,
    icuBeds: 14,
    edVisitsPerDay: 95,
    system: 'his-b',
  },
];

/** The first `count` hospitals; beyond the eight written above, more are invented, always the same. */
export function hospitalList(count: number): readonly HospitalSite[] {
  const list = hospitals.slice(0, count);
  for (let number = list.length + 1; number <= count; number++) list.push(inventHospital(number));
  return list;
}

function inventHospital(number: number): HospitalSite {
  const random = seededRandom(`hospital ${number}`);
  const edVisitsPerDay = random.int(60, 220);
  const all: readonly Capability[] = ['stroke', 'trauma', 'burn', 'obstetric', 'paediatric', 'cardiac'];
  return {
    id: `H${number}`,
    name: `Bệnh viện Thử nghiệm số ${number}`,
    address: `${number} đường Thử Nghiệm ${number}, phường Mẫu ${number}, Thành phố Hồ Chí Minh`,
    latitude: round4(cityBox.south + random.float() * (cityBox.north - cityBox.south)),
    longitude: round4(cityBox.west + random.float() * (cityBox.east - cityBox.west)),
    capabilities: all.filter(() => random.chance(0.35)),
    edBeds: Math.round(edVisitsPerDay / 6),
    hospitalBeds: Math.round(edVisitsPerDay * 3.8),
    icuBeds: Math.round(edVisitsPerDay / 6),
    edVisitsPerDay,
    system: random.chance(0.5) ? 'his-a' : 'his-b',
  };
}

function round4(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

/** Kilometres between two places, on a sphere (haversine). */
export function distanceKm(
  from: { latitude: number; longitude: number },
  to: { latitude: number; longitude: number },
): number {
  const radians = Math.PI / 180;
  const dLat = (to.latitude - from.latitude) * radians;
  const dLon = (to.longitude - from.longitude) * radians;
  const a =
    Math.sin(dLat / 2) ** 2 +
    Math.cos(from.latitude * radians) * Math.cos(to.latitude * radians) * Math.sin(dLon / 2) ** 2;
  return 2 * 6371 * Math.asin(Math.sqrt(a));
}
