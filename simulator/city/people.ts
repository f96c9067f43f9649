/** Made-up people, and what brings them. Nobody here can be taken for a real person: every name says "Thử" (test). */
import type { Capability } from './hospitals.ts';
import { logNormal, type Random } from './random.ts';

export interface Person {
  /** Record number at its hospital. */
  recordNumber: string;
  readonly family: string;
  readonly middle: string;
  readonly given: string;
  /** YYYYMMDD, or empty when nobody knows who it is. */
  readonly birthDate: string;
  readonly sex: 'M' | 'F';
  readonly address: string;
  readonly phone: string;
}

export interface Complaint {
  readonly code: string;
  readonly text: string;
  readonly weight: number;
  /** Weights of the triage levels 1 to 5. */
  readonly levels: readonly [number, number, number, number, number];
  readonly capability: Capability | null;
}

const families = [
  'Nguyễn',
  'Trần',
  'Lê',
  'Phạm',
  'Huỳnh',
  'Phan',
  'Vũ',
  'Võ',
  'Đặng',
  'Bùi',
  'Đỗ',
  'Hồ',
  'Ngô',
  'Dương',
  'Lý',
];

export function inventPerson(random: Random, facility: string, number: number): Person {
  const sex = random.chance(0.52) ? 'M' : 'F';
  const label = String(number).padStart(4, '0');
  const year = 2026 - Math.min(96, Math.floor(logNormal(random, 38, 0.7)));
  return {
    recordNumber: `${facility}-BN${String(number).padStart(6, '0')}`,
    family: random.pick(families),
    middle: sex === 'M' ? 'Văn' : 'Thị',
    given: `Thử ${label}`,
    birthDate: `${year}${String(random.int(1, 12)).padStart(2, '0')}${String(random.int(1, 28)).padStart(2, '0')}`,
    sex,
    address: inventAddress(random),
    phone: `0000${String(number % 1_000_000).padStart(6, '0')}`,
  };
}

/** Someone brought in without papers, until the record is merged. */
export function unknownPerson(known: Person, facility: string, number: number): Person {
  return {
    recordNumber: `${facility}-TAM${String(number).padStart(6, '0')}`,
    family: 'Vô danh',
    middle: '',
    given: `Thử ${String(number).padStart(4, '0')}`,
    birthDate: '',
    sex: known.sex,
    address: '',
    phone: '',
  };
}

export function inventAddress(random: Random): string {
  return `${random.int(1, 400)}/${random.int(1, 60)} đường Thử Nghiệm ${random.int(1, 120)}, phường Mẫu ${random.int(1, 90)}`;
}

export const complaints: readonly Complaint[] = [
  { code: 'ngung-tim', text: 'Ngưng tim, ngưng thở', weight: 0.5, levels: [1, 0, 0, 0, 0], capability: 'cardiac' },
  { code: 'dau-nguc', text: 'Đau ngực', weight: 7, levels: [2, 38, 50, 10, 0], capability: 'cardiac' },
  { code: 'dot-quy', text: 'Yếu nửa người, nghi đột quỵ', weight: 4, levels: [10, 60, 28, 2, 0], capability: 'stroke' },
  { code: 'kho-tho', text: 'Khó thở', weight: 8, levels: [7, 35, 48, 10, 0], capability: null },
  { code: 'tai-nan', text: 'Tai nạn giao thông', weight: 14, levels: [5, 17, 40, 30, 8], capability: 'trauma' },
  { code: 'te-nga', text: 'Té ngã, chấn thương', weight: 10, levels: [1, 7, 35, 42, 15], capability: 'trauma' },
  { code: 'bong', text: 'Bỏng', weight: 1, levels: [6, 20, 40, 28, 6], capability: 'burn' },
  { code: 'dau-bung', text: 'Đau bụng', weight: 14, levels: [0.5, 9, 55, 30, 5.5], capability: null },
  { code: 'sot', text: 'Sốt cao', weight: 13, levels: [0.5, 7, 42, 38, 12.5], capability: null },
  { code: 'sot-tre', text: 'Trẻ sốt, co giật', weight: 5, levels: [4, 26, 45, 20, 5], capability: 'paediatric' },
  { code: 'chuyen-da', text: 'Đau bụng chuyển dạ', weight: 3, levels: [2, 28, 55, 15, 0], capability: 'obstetric' },
  { code: 'chong-mat', text: 'Chóng mặt', weight: 6, levels: [0, 6, 40, 42, 12], capability: null },
  { code: 'di-ung', text: 'Dị ứng, nổi mề đay', weight: 4, levels: [1, 9, 30, 45, 15], capability: null },
  { code: 'vet-thuong', text: 'Vết thương phần mềm', weight: 8, levels: [0.2, 2.8, 22, 50, 25], capability: null },
  { code: 'khac', text: 'Lý do khác', weight: 6, levels: [0.5, 4.5, 25, 45, 25], capability: null },
];

const complaintWeights = complaints.map(({ weight }) => weight);

export function pickComplaint(random: Random): Complaint {
  return complaints[random.weighted(complaintWeights)] as Complaint;
}
