/** What the page is told of why a result is there: of the report of `mach why --json`, what it shows. */

type Fields = Readonly<Record<string, unknown>>;

export interface WhyAnswer {
  readonly result: {
    readonly sink: string;
    readonly table: string | null;
    readonly stage: string;
    readonly partition: number;
    readonly sequence: number;
    readonly index: number;
    readonly time: string;
    readonly row: Fields;
  };
  readonly steps: readonly StepAnswer[];
  readonly messages: readonly MessageAnswer[];
  readonly replay: { readonly verified: boolean | null };
  readonly began: { readonly message: string; readonly time: string | null } | null;
  readonly began_earlier: boolean;
  readonly more: boolean;
}

export interface StepAnswer {
  readonly depth: number;
  readonly node: string;
  readonly definition: string;
  readonly via: { readonly kind: 'result' | 'input' | 'state' | 'timer'; readonly name: string };
  readonly by: {
    readonly kind: 'event' | 'timer' | 'time';
    readonly timer: string | null;
    readonly time: string | null;
    readonly moved_by: string | null;
  };
  readonly out: { readonly time: string; readonly event: Fields } | null;
  readonly conditions: readonly {
    readonly option: string;
    readonly text: string;
    readonly values: Fields;
    readonly result: unknown;
    readonly of_many: boolean;
  }[];
  readonly state: readonly StateAnswer[];
  readonly message: string | null;
}

export interface StateAnswer {
  readonly state: string;
  readonly key: unknown;
  readonly before: unknown;
  readonly after: unknown;
  readonly changes: number;
}

export interface MessageAnswer {
  readonly place: string;
  readonly role: 'cause' | 'time' | 'progress';
  readonly listed: boolean;
  readonly source: string;
  readonly origin: string | null;
  readonly events: readonly { readonly time: string; readonly event: Fields }[];
  readonly accepted_at: string | null;
  readonly mark: string | null;
  readonly sender_place: Fields | null;
  readonly text: string | null;
  readonly text_characters: number | null;
  readonly note: string | null;
}
