/** How a column of an answer is shown: its name, unit, colours, words and link. */
import {
  type DashboardLink,
  DashboardLinkType,
  type DynamicConfigValue,
  FieldColorModeId,
  type FieldConfig,
  MappingType,
  SpecialValueMatch,
  type ThresholdsConfig,
  ThresholdsMode,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Color, Scale } from './palette.ts';
import type { Language, Text } from './text.ts';

export interface Word {
  readonly text: Text;
  readonly color?: Color;
}

export interface Link {
  readonly title: Text;
  /** May have `${__data.fields.NAME:percentencode}`; a board of ours is `/d/UID`. */
  readonly url: string;
  readonly newTab?: boolean;
}

export interface Look {
  readonly title?: Text;
  /** Of Grafana's list of units; `suffix: x` for one that it does not have. */
  readonly unit?: string | Text;
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  readonly scale?: Scale;
  /** Words in place of values. */
  readonly words?: Readonly<Record<string, Word>>;
  /** In place of nothing. */
  readonly absent?: Word;
  readonly link?: Link;
  /** Of a column of a table, pixels. */
  readonly width?: number;
  readonly hidden?: boolean;
  /** A cell filled with the colour of its value, instead of coloured text. */
  readonly filled?: boolean;
  /** The one colour of a series. */
  readonly color?: Color;
}

export function thresholdsOf(scale: Scale): ThresholdsConfig {
  return { mode: ThresholdsMode.Absolute, steps: scale.map(({ from, color }) => ({ value: from, color })) };
}

function mappingsOf({ words = {}, absent }: Look, language: Language): ValueMapping[] {
  const result = ({ text, color }: Word) => ({ text: text[language], ...(color && { color }) });
  const mappings: ValueMapping[] = [];
  const entries = Object.entries(words);
  if (entries.length > 0) {
    const options = Object.fromEntries(entries.map(([value, word], index) => [value, { ...result(word), index }]));
    mappings.push({ type: MappingType.ValueToText, options });
  }
  if (absent) {
    const options = { match: SpecialValueMatch.NullAndNan, result: { ...result(absent), index: entries.length } };
    mappings.push({ type: MappingType.SpecialValue, options });
  }
  return mappings;
}

const unitOf = (unit: string | Text, language: Language): string =>
  typeof unit === 'string' ? unit : `suffix: ${unit[language]}`;

function linkOf({ title, url, newTab = false }: Link, language: Language): DashboardLink {
  return {
    title: title[language],
    url: url.replace(/^\/d\/([\w-]+)/, (_all, uid: string) => `/d/${boardUid(uid, language)}`),
    type: DashboardLinkType.Link,
    icon: '',
    tooltip: '',
    tags: [],
    asDropdown: false,
    targetBlank: newTab,
    includeVars: false,
    keepTime: false,
  };
}

/** Grafana knows a board by its uid, so each language has one of its own. */
export const boardUid = (uid: string, language: Language): string => (language === 'vi' ? uid : `${uid}-${language}`);

/** For all columns of a panel. */
export function defaultsOf(look: Look, language: Language): FieldConfig {
  const { title, unit, decimals, min, max, scale, absent, link, color } = look;
  const mappings = mappingsOf(look, language);
  return {
    ...(title && { displayName: title[language] }),
    ...(unit && { unit: unitOf(unit, language) }),
    ...(decimals !== undefined && { decimals }),
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    ...(mappings.length > 0 && { mappings }),
    ...(absent && { noValue: absent.text[language] }),
    ...(link && { links: [linkOf(link, language)] }),
    ...(scale && { thresholds: thresholdsOf(scale) }),
    ...(color && { color: { mode: FieldColorModeId.Fixed, fixedColor: color } }),
    ...(scale && !color && { color: { mode: FieldColorModeId.Thresholds } }),
  };
}

/** For one column. */
export function overridesOf(look: Look, language: Language): DynamicConfigValue[] {
  const { width, hidden, filled, scale, words } = look;
  const { color, ...values } = defaultsOf(look, language);
  const names = Object.entries(values).map(([id, value]): DynamicConfigValue => ({ id, value }));
  const isColored = scale !== undefined || Object.values(words ?? {}).some((word) => word.color);
  return [
    ...names,
    ...(color ? [{ id: 'color', value: color }] : []),
    ...(width === undefined ? [] : [{ id: 'custom.width', value: width }]),
    ...(hidden ? [{ id: 'custom.hidden', value: true }] : []),
    ...(filled || isColored
      ? [{ id: 'custom.cellOptions', value: { type: filled ? 'color-background' : 'color-text', mode: 'basic' } }]
      : []),
  ];
}
