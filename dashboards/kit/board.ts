/** A board: rows of panels, each row the answer to one question. */
import type { Panel } from './panel.ts';
import type { Text } from './text.ts';

export interface Row {
  /** What a person who looks here wants to know. */
  readonly question: Text;
  /** Of its panels, in rows of Grafana's grid (30 pixels each). */
  readonly height: number;
  readonly panels: readonly Panel[];
}

/** A choice above the board; its query gives a value and the text for it. */
export interface Choice {
  readonly name: string;
  readonly title: Text;
  readonly sql: string;
}

export interface Board {
  readonly uid: string;
  readonly title: Text;
  readonly description: Text;
  readonly tags: readonly string[];
  /** The range that is shown at first, back from now: `6h`. */
  readonly back: string;
  readonly refresh: string;
  readonly choices?: readonly Choice[];
  readonly rows: readonly Row[];
}
