/** The few kinds of panels that boards are made of, as plain data. `render.ts` makes Grafana's form of them. */
import type { Look } from './look.ts';
import type { Text } from './text.ts';

interface Shown {
  readonly title: Text;
  /** What the numbers are and where they are from. */
  readonly description: Text;
  /** Of 24. */
  readonly width: number;
}

interface Queried extends Shown {
  readonly sql: string;
  /** Of all columns. */
  readonly look: Look;
  /** Of single columns, by their names in the answer. */
  readonly columns?: Readonly<Record<string, Look>>;
}

/** A few large numbers: the answer is one row, a number for each column. */
export interface StatPanel extends Queried {
  readonly kind: 'stat';
  readonly fill?: 'background' | 'value';
}

/** Lines over time; the answer has `time`, numbers, and text columns that tell series apart. */
export interface TimeSeriesPanel extends Queried {
  readonly kind: 'timeseries';
  readonly stacked?: boolean;
  /** Bars rather than lines: for counts of an interval. */
  readonly bars?: boolean;
  /** The thresholds as lines. */
  readonly limits?: boolean;
}

export interface TablePanel extends Queried {
  readonly kind: 'table';
}

/** Bars: one for each column of the one row of the answer, or for each row, named by its text column. */
export interface BarsPanel extends Queried {
  readonly kind: 'bargauge';
  readonly eachRow?: boolean;
}

/** Points by the columns `latitude` and `longitude`, coloured by `color`, sized by `size`, named by `label`. */
export interface MapPanel extends Queried {
  readonly kind: 'geomap';
  readonly color: string;
  readonly size: string;
  readonly sizeMax: number;
  readonly label: string;
}

/** A lane over time for each series; the answer has `time`, a state, and a text column that tells lanes apart. */
export interface StateTimelinePanel extends Queried {
  readonly kind: 'state-timeline';
}

export interface TextPanel extends Shown {
  readonly kind: 'text';
  /** Markdown. */
  readonly content: Text;
}

export type QueriedPanel = StatPanel | TimeSeriesPanel | TablePanel | BarsPanel | MapPanel | StateTimelinePanel;
export type Panel = QueriedPanel | TextPanel;
