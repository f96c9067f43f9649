/** The parts of a panel of Grafana's Classic JSON that decide how it looks. Everything may be absent. */

export interface ThresholdStep {
  readonly value: number | null;
  readonly color: string;
}

export interface Thresholds {
  readonly mode?: 'absolute' | 'percentage';
  readonly steps: readonly ThresholdStep[];
}

export interface MappingResult {
  readonly text?: string;
  readonly color?: string;
  readonly index?: number;
}

export type Mapping =
  | { readonly type: 'value'; readonly options: Readonly<Record<string, MappingResult>> }
  | {
      readonly type: 'range';
      readonly options: { readonly from: number | null; readonly to: number | null; readonly result: MappingResult };
    }
  | { readonly type: 'regex'; readonly options: { readonly pattern: string; readonly result: MappingResult } }
  | { readonly type: 'special'; readonly options: { readonly match: string; readonly result: MappingResult } };

export interface Link {
  readonly title?: string;
  readonly url?: string;
  readonly targetBlank?: boolean;
}

export interface FieldConfig {
  readonly displayName?: string;
  readonly description?: string;
  readonly unit?: string;
  readonly decimals?: number | null;
  readonly min?: number | null;
  readonly max?: number | null;
  readonly noValue?: string;
  readonly thresholds?: Thresholds;
  readonly mappings?: readonly Mapping[];
  readonly color?: { readonly mode: string; readonly fixedColor?: string };
  readonly links?: readonly Link[];
  /** Settings of the kind of panel. */
  readonly custom?: Readonly<Record<string, unknown>>;
}

export interface FieldOverride {
  readonly matcher: { readonly id: string; readonly options?: unknown };
  readonly properties: readonly { readonly id: string; readonly value?: unknown }[];
}

export interface Transformation {
  readonly id: string;
  readonly disabled?: boolean;
  readonly options?: Readonly<Record<string, unknown>>;
}

export interface PanelForm {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly transparent?: boolean;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults?: FieldConfig; readonly overrides?: readonly FieldOverride[] };
  readonly options?: Readonly<Record<string, unknown>>;
  readonly transformations?: readonly Transformation[];
  readonly links?: readonly Link[];
  readonly targets: readonly { readonly refId: string; readonly format?: number }[];
  readonly panels?: readonly PanelForm[];
  readonly collapsed?: boolean;
}
