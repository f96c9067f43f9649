/** What a kind of panel is given to draw with. */
import type { Language, TextName } from '../../view/language.ts';
import type { PanelForm } from '../../view/panel-form.ts';
import type { Table } from '../../view/table.ts';

export interface PanelContext {
  readonly panel: PanelForm;
  readonly tables: readonly Table[];
  /** ms since the epoch. */
  readonly from: number;
  readonly to: number;
  readonly language: Language;
  readonly zone: string;
  text(name: TextName): string;
  /** Fills in a link's `${__data.fields.x}` and variables. */
  link(url: string, row: { readonly table: Table; readonly index: number } | undefined): string;
  /** Under the signed name of who may operate; undefined where nobody here may. */
  readonly act: ((alertId: string) => void) | undefined;
}

/** Fills `body`, which is empty at first and otherwise holds what was drawn before. Returns how many values it shows. */
export type DrawPanel = (body: HTMLElement, context: PanelContext) => number;
