/** Counts what the city said. */
import type { CityEvent } from './events.ts';
import type { SpeakerCounts } from './transports/speakers.ts';

export interface CitySummary {
  readonly seed: number;
  readonly scenario: string;
  readonly hospitals: number;
  /** ISO times, the end not included. */
  readonly start: string;
  readonly end: string;
  readonly hl7: {
    readonly messages: number;
    readonly by_type: Readonly<Record<string, number>>;
    readonly late: number;
    readonly duplicates: number;
    readonly broken: number;
    readonly repaired: number;
    readonly foreign: number;
    readonly accepted: number;
    readonly rejected: number;
    readonly resent: number;
  };
  readonly feed: {
    readonly items: number;
    readonly calls: number;
    readonly unit_reports: number;
    readonly diversions: number;
    readonly refused: number;
  };
  readonly bed_files: { readonly written: number; readonly duplicates: number; readonly with_a_bad_row: number };
  readonly truth: { readonly rows: number; readonly visits: number };
}

export class Tally {
  readonly #byType: Record<string, number> = {};
  readonly #byNote: Record<string, number> = {};
  readonly #calls = new Set<string>();
  #hl7 = 0;
  #items = 0;
  #units = 0;
  #diversions = 0;
  readonly #bedFiles = { plain: 0, duplicate: 0, 'bad-row': 0 };

  get messages(): number {
    return this.#hl7;
  }

  get items(): number {
    return this.#items;
  }

  add(event: CityEvent): void {
    if (event.kind === 'hl7') {
      this.#hl7++;
      this.#byType[event.type] = (this.#byType[event.type] ?? 0) + 1;
      this.#byNote[event.note] = (this.#byNote[event.note] ?? 0) + 1;
    } else if (event.kind === 'feed') {
      this.#items++;
      const { call, unit, diversion } = event.item;
      if (call?.call_id) this.#calls.add(call.call_id);
      if (unit) this.#units++;
      if (diversion) this.#diversions++;
    } else {
      this.#bedFiles[event.note]++;
    }
  }

  hl7(counts: SpeakerCounts): CitySummary['hl7'] {
    const note = (name: string) => this.#byNote[name] ?? 0;
    const { accepted, rejected, resent } = counts;
    return {
      messages: this.#hl7,
      by_type: Object.fromEntries(Object.entries(this.#byType).sort(([left], [right]) => (left < right ? -1 : 1))),
      late: note('late'),
      duplicates: note('duplicate'),
      broken: note('broken'),
      repaired: note('repaired'),
      foreign: note('foreign'),
      accepted,
      rejected,
      resent,
    };
  }

  feed({ feedRefused }: SpeakerCounts): CitySummary['feed'] {
    return {
      items: this.#items,
      calls: this.#calls.size,
      unit_reports: this.#units,
      diversions: this.#diversions,
      refused: feedRefused,
    };
  }

  bedFiles(): CitySummary['bed_files'] {
    const { plain, duplicate, 'bad-row': bad } = this.#bedFiles;
    return { written: plain + duplicate + bad, duplicates: duplicate, with_a_bad_row: bad };
  }
}
