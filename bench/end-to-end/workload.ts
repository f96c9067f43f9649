/**
 * The traffic of the bench, a pure function of the number of an event: driver, poller and judge agree on it without talking.
 * Made-up people only.
 */
import type { Item } from '../../connectors/feed-115/client.ts';
import { seededRandom } from '../../runtime/random.ts';

export type Protocol = 'feed-115' | 'hl7-mllp';

export const hospitals = 8;
export const centres = 2;

/** One in fifty must be filtered, one in forty is sent twice and must come out once: work that real traffic has. */
const diversionEvery = 50;
const repeatedEvery = 40;

/** Protocol of an event in mixed traffic. */
export function protocolOf(number: number, feedShare: number): Protocol {
  return Math.imul(number, 0x9e3779b1) >>> 0 < feedShare * 2 ** 32 ? 'feed-115' : 'hl7-mllp';
}

/** Whether a row must come of it. */
export function isKept(number: number): boolean {
  return number % diversionEvery !== 0;
}

export function isSentTwice(number: number): boolean {
  return number % repeatedEvery === 1;
}

/** Times of a Poisson process, ms from its begin. */
export function poissonTimes(args: { perSecond: number; durationMs: number; seed: number }): Float64Array {
  const random = seededRandom(args.seed);
  const meanMs = 1_000 / args.perSecond;
  const times: number[] = [];
  for (let at = random.exponential(meanMs); at < args.durationMs; at += random.exponential(meanMs)) times.push(at);
  return Float64Array.from(times);
}

/** `at`: intended time of sending, ms since the epoch. */
export function feedItem(number: number, at: number): Item {
  if (!isKept(number)) {
    return {
      diversion: {
        hospital: `BV-${number % hospitals}`,
        changed_ms: at,
        active: number % 100 === 0,
        reason: 'quá tải',
      },
    };
  }
  const latitude = 10.7 + (number % 997) / 10_000;
  const longitude = 106.6 + (number % 991) / 10_000;
  if (number % 5 === 0) {
    return {
      call: {
        call_id: `C${number}`,
        received_ms: at,
        caller_phone_hash: 'a94a8fe5ccb19ba61c4c0873d391e987',
        address: `${number % 300} đường Thử Nghiệm, phường Mẫu`,
        latitude,
        longitude,
        complaint_code: `K${number % 40}`,
        priority: 1 + (number % 5),
        station: `TRAM-${number % 30}`,
        required_capability: number % 7,
      },
    };
  }
  return {
    unit: {
      unit_id: `XE-${number % 120}`,
      reported_ms: at,
      call_id: `C${number}`,
      station: `TRAM-${number % 30}`,
      latitude,
      longitude,
      hospital: `BV-${number % hospitals}`,
      call_received_ms: at - 900_000,
      dispatch_notified_ms: at - 860_000,
      en_route_ms: at - 800_000,
      arrived_scene_ms: at - 400_000,
      left_scene_ms: at - 100_000,
    },
  };
}

const triggers = ['A04', 'A08', 'A02', 'A03'] as const;

/** What is not kept is A31, news of a person without a visit. `copy` 1 is the same message, made a second time. */
export function hl7Message(number: number, at: number, copy = 0): string {
  const trigger = isKept(number) ? (triggers[number % triggers.length] as string) : 'A31';
  const sent = hl7Time(at);
  return [
    `MSH|^~\\&|HIS|BV-${number % hospitals}|MACH|115|${sent}||ADT^${trigger}|M${number}|P|2.5.1|${copy || ''}|||||UNICODE UTF-8`,
    `EVN|${trigger}|${sent}||||${sent}`,
    `PID|1||BN${number}^^^BV-${number % hospitals}^MR||Nguyễn^Thử^Văn||19800101|M|||12 Đường Thử Nghiệm^^Thành phố Hồ Chí Minh`,
    `PV1|1|E|ED^R1^B${number % 40}^BV||||||||||||||||V${number}|||||||||||||||||||||||||${sent}`,
    `OBX|1|CWE|11283-9^Acuity^LN||${1 + (number % 5)}^Mẫu^ESI||||||F`,
    'DG1|1||R07.4^Đau ngực^I10',
    '',
  ].join('\r');
}

const vietnamMs = 7 * 3_600_000;
let minute = -1;
let minuteText = '';

/** `YYYYMMDDHHMMSS.mmm+0700`; the minute is kept, for this runs for every message. */
function hl7Time(at: number): string {
  const local = at + vietnamMs;
  const current = Math.floor(local / 60_000);
  if (current !== minute) {
    minute = current;
    minuteText = new Date(local).toISOString().slice(0, 16).replace(/[-T:]/g, '');
  }
  return `${minuteText}${((local % 60_000) / 1_000).toFixed(3).padStart(6, '0')}+0700`;
}

/** Ms of a clock that all processes of the machine share and that nobody sets. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
