/** What the city says to the world: the messages in the order in which they are sent. */
import type { Item } from '../../connectors/feed-115/wire.ts';

export type Hl7Note = 'plain' | 'late' | 'duplicate' | 'broken' | 'repaired' | 'foreign';

export interface Hl7CityEvent {
  readonly kind: 'hl7';
  /** When it is sent, ms since the epoch. */
  readonly at: number;
  readonly hospital: string;
  /** Segments end with CR. No MLLP framing. */
  readonly text: string;
  /** How the text becomes bytes. MSH-18 always says UTF-8, so the other one is a fault. */
  readonly encoding: 'utf-8' | 'windows-1258';
  /** MSH-10. */
  readonly id: string;
  /** `ADT_A04` */
  readonly type: string;
  /** Visit that it is about, or null. */
  readonly about: string | null;
  /**
   * `late`: sent five minutes or more after what it tells; `duplicate`: said before, word by word; `broken`: cannot be read
   * as it is; `repaired`: says again, under a new id, what a broken one should have said; `foreign`: of no known type.
   */
  readonly note: Hl7Note;
}

export interface FeedCityEvent {
  readonly kind: 'feed';
  readonly at: number;
  /** As in `feed115.proto`. */
  readonly item: Item;
}

export interface BedFileCityEvent {
  readonly kind: 'bed-file';
  readonly at: number;
  readonly hospital: string;
  readonly name: string;
  readonly text: string;
  readonly note: 'plain' | 'duplicate' | 'bad-row';
}

export type CityEvent = Hl7CityEvent | FeedCityEvent | BedFileCityEvent;
