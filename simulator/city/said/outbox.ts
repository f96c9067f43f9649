/**
 * From a hospital's desk to the wire: delays of its interface engine, and what goes wrong on the way: late, out of order,
 * twice, broken and put right, silence.
 */
import type { Hl7CityEvent, Hl7Note } from '../events.ts';
import type { Scenario } from '../model/scenario.ts';
import type { Random } from '../random.ts';

/** Shares of the messages. */
const faultShares = {
  /** Held up in a queue for 5 to 60 minutes. */
  late: 0.012,
  /** Overtaken by others: 20 to 240 s. */
  overtaken: 0.03,
  duplicate: 0.012,
  broken: 0.01,
  /** Of an unknown type, in between. */
  foreign: 0.006,
} as const;

const lateAfterMs = 5 * 60_000;

export interface Outgoing {
  /** Makes the text under an id, as made at a time. */
  readonly text: (id: string, madeAt: number) => string;
  readonly type: string;
  readonly about: string | null;
  readonly recordedAt: number;
  readonly occurredAt: number;
}

export interface OutboxOptions {
  readonly hospital: string;
  readonly hospitalIndex: number;
  readonly random: Random;
  readonly scenario: Scenario;
  /** Start of the simulation. */
  readonly start: number;
  readonly emit: (event: Hl7CityEvent) => void;
  readonly foreign: (id: string, madeAt: number) => string;
}

export class Outbox {
  readonly #options: OutboxOptions;
  #numbers = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  send(outgoing: Outgoing): void {
    const { random } = this.#options;
    const { recordedAt, type } = outgoing;
    const madeAt = recordedAt + 1000;
    const sentAt = madeAt + random.int(200, 3_000) + this.#delayMs();
    if (random.chance(faultShares.foreign)) this.#sendForeign(madeAt);
    const id = this.#nextId();
    const text = outgoing.text(id, madeAt);
    if (random.chance(faultShares.broken)) {
      this.#sendBroken(outgoing, { id, text, sentAt });
      return;
    }
    this.#emit({ at: sentAt, id, text, type, note: 'plain' }, outgoing);
    if (random.chance(faultShares.duplicate)) {
      const again = sentAt + random.int(20, 900) * 1000;
      this.#emit({ at: again, id, text, type, note: 'duplicate' }, outgoing);
    }
  }

  #delayMs(): number {
    const { random } = this.#options;
    const draw = random.float();
    if (draw < faultShares.late) return random.int(300, 3_600) * 1000;
    if (draw < faultShares.late + faultShares.overtaken) return random.int(20, 240) * 1000;
    return 0;
  }

  /** The receiver cannot read it, someone looks at the error queue, and it is made anew under a new id. */
  #sendBroken(outgoing: Outgoing, broken: { id: string; text: string; sentAt: number }): void {
    const { random } = this.#options;
    const { id, text, sentAt } = broken;
    const fault = random.pick(['truncated', 'encoding', 'unknown-type'] as const);
    if (fault === 'truncated') {
      const visitAt = text.indexOf('\rPV1|');
      const length = random.int(20, visitAt > 0 ? visitAt : text.length >> 1);
      this.#emit({ at: sentAt, id, text: text.slice(0, length), type: outgoing.type, note: 'broken' }, outgoing);
    } else if (fault === 'encoding') {
      this.#emit({ at: sentAt, id, text, type: outgoing.type, note: 'broken', encoding: 'windows-1258' }, outgoing);
    } else {
      const garbled = text.replace(/\|\|ADT\^\w+\^\w+\|/, '||ADX^Z99^ADX_Z99|').replace(/\rEVN\|\w+/, '\rEVN|Z99');
      this.#emit({ at: sentAt, id, text: garbled, type: 'ADX_Z99', note: 'broken' }, outgoing);
    }
    const repairedAt = sentAt + random.int(120, 1_800) * 1000;
    const newId = this.#nextId();
    const repaired = outgoing.text(newId, Math.ceil(repairedAt / 1000) * 1000);
    this.#emit({ at: repairedAt, id: newId, text: repaired, type: outgoing.type, note: 'repaired' }, outgoing);
  }

  #sendForeign(madeAt: number): void {
    const id = this.#nextId();
    const text = this.#options.foreign(id, madeAt);
    this.#emit({ at: madeAt + 500, id, text, type: 'ZNB_Z01', note: 'foreign' }, { about: null, occurredAt: madeAt });
  }

  #emit(
    sent: { at: number; id: string; text: string; type: string; note: Hl7Note; encoding?: 'windows-1258' },
    { about, occurredAt }: { about: string | null; occurredAt: number },
  ): void {
    const { hospital, emit } = this.#options;
    const at = this.#afterSilence(sent.at);
    const late = sent.note === 'plain' && at - occurredAt >= lateAfterMs;
    const { id, text, type, encoding = 'utf-8' } = sent;
    emit({ kind: 'hl7', at, hospital, text, encoding, id, type, about, note: late ? 'late' : sent.note });
  }

  /** What was to be sent during the silence comes after it within two seconds, in order. */
  #afterSilence(at: number): number {
    const { scenario, start, hospitalIndex } = this.#options;
    const { silence } = scenario;
    if (!silence || silence.hospital !== hospitalIndex) return at;
    const from = start + silence.fromMs;
    const to = from + silence.durationMs;
    if (at < from || at >= to) return at;
    return to + Math.round((2_000 * (at - from)) / silence.durationMs);
  }

  #nextId(): string {
    return `${this.#options.hospital}-${String(++this.#numbers).padStart(8, '0')}`;
  }
}
