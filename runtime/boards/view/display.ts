/** A value as people read it: mappings, unit, colour and the step of its threshold. */
import type { Language } from './language.ts';
import { textIn } from './language.ts';
import { colorOf, shapeOf } from './palette.ts';
import type { FieldConfig, MappingResult, Thresholds } from './panel-form.ts';
import { type Kind, patternOf } from './table.ts';
import { formatTime } from './times.ts';
import { formatNumber } from './units.ts';

export interface Display {
  /** Whole text. */
  readonly text: string;
  /** The same in parts, so that the unit can be smaller. */
  readonly prefix: string;
  readonly main: string;
  readonly unit: string;
  /** undefined: nothing says which. */
  readonly color: string | undefined;
  /** Step of the threshold that the value has reached; undefined where there are none. */
  readonly step: number | undefined;
  /** Stands beside the colour, for who does not see it. */
  readonly shape: string;
  readonly isMissing: boolean;
}

export interface DisplaySetting {
  readonly language: Language;
  readonly zone: string;
}

export function display(value: unknown, kind: Kind, config: FieldConfig, setting: DisplaySetting): Display {
  const { language } = setting;
  const isMissing = value === null || value === undefined || Number.isNaN(value);
  const mapped = mappingOf(value, config);
  const step = typeof value === 'number' && kind !== 'time' ? thresholdStep(value, config) : undefined;
  const color = colorOf(mapped?.color) ?? (isMissing ? undefined : stepColor(step, config));
  const parts =
    mapped?.text !== undefined ? { prefix: '', main: mapped.text, unit: '' } : partsOf(value, kind, config, setting);
  const shownStep = mapped?.color === undefined ? step : (mapped.index ?? step);
  // A text that begins with a sign of its own needs no other.
  const hasSign = /^[^\p{L}\p{N}\s(<>+–-]/u.test(parts.main);
  const isColored = color !== undefined && !isMissing && (mapped?.color !== undefined || byThreshold(config));
  return {
    ...parts,
    text: `${parts.prefix}${parts.main}${parts.unit}`,
    color: isMissing && !mapped ? undefined : color,
    step: shownStep,
    shape: isColored && !hasSign && shownStep !== undefined ? shapeOf(shownStep) : '',
    isMissing: isMissing && !mapped,
    ...(isMissing && !mapped ? { main: config.noValue ?? textIn(language, 'unknown') } : {}),
  };
}

function partsOf(value: unknown, kind: Kind, config: FieldConfig, setting: DisplaySetting) {
  const plain = (main: string) => ({ prefix: '', main, unit: '' });
  if (value === null || value === undefined || Number.isNaN(value)) {
    return plain(config.noValue ?? textIn(setting.language, 'unknown'));
  }
  if (kind === 'time') return plain(timeText(Number(value), config.unit, setting));
  if (typeof value === 'number') {
    if (config.unit?.startsWith('dateTime')) return plain(timeText(value, config.unit, setting));
    const { number, unit, prefix } = formatNumber(value, {
      unit: config.unit,
      decimals: config.decimals,
      language: setting.language,
    });
    return { prefix, main: number, unit };
  }
  return plain(String(value));
}

function timeText(ms: number, unit: string | undefined, { zone, language }: DisplaySetting): string {
  const style = unit === 'time:HH:mm' ? 'minute' : unit === 'time:HH:mm:ss' ? 'second' : 'moment';
  return formatTime(ms, { zone, language, style });
}

const byThreshold = ({ color, thresholds }: FieldConfig) =>
  (color?.mode ?? 'thresholds') === 'thresholds' && (thresholds?.steps.length ?? 0) > 1;

function stepColor(step: number | undefined, config: FieldConfig): string | undefined {
  const { color, thresholds } = config;
  if (color?.mode === 'fixed') return colorOf(color.fixedColor);
  if (color && color.mode !== 'thresholds') return undefined;
  return step === undefined ? undefined : colorOf(thresholds?.steps[step]?.color);
}

/** The highest step that the value has reached. */
export function thresholdStep(value: number, { thresholds, min, max }: FieldConfig): number | undefined {
  if (!thresholds || thresholds.steps.length === 0) return undefined;
  const at = limitOf(thresholds, min, max);
  let reached = 0;
  thresholds.steps.forEach((step, index) => {
    if (index > 0 && step.value !== null && value >= at(step.value)) reached = index;
  });
  return reached;
}

/** Limits in percent count between min and max. */
export function limitOf(
  { mode }: Thresholds,
  min: number | null | undefined,
  max: number | null | undefined,
): (value: number) => number {
  if (mode !== 'percentage') return (value) => value;
  const low = min ?? 0;
  const high = max ?? 100;
  return (value) => low + ((high - low) * value) / 100;
}

function mappingOf(value: unknown, { mappings = [] }: FieldConfig): MappingResult | undefined {
  for (const mapping of mappings) {
    switch (mapping.type) {
      case 'value': {
        const found = value === null || value === undefined ? undefined : mapping.options[String(value)];
        if (found) return found;
        break;
      }
      case 'range': {
        const { from, to, result } = mapping.options;
        const inside = typeof value === 'number' && value >= (from ?? -Infinity) && value <= (to ?? Infinity);
        if (inside) return result;
        break;
      }
      case 'regex':
        if (typeof value === 'string' && patternOf(mapping.options.pattern).test(value)) return mapping.options.result;
        break;
      case 'special':
        if (isSpecial(value, mapping.options.match)) return mapping.options.result;
        break;
    }
  }
  return undefined;
}

function isSpecial(value: unknown, match: string): boolean {
  const isNull = value === null || value === undefined;
  const isNan = typeof value === 'number' && Number.isNaN(value);
  switch (match) {
    case 'null':
      return isNull;
    case 'nan':
      return isNan;
    case 'null+nan':
      return isNull || isNan;
    case 'true':
      return value === true;
    case 'false':
      return value === false;
    case 'empty':
      return value === '';
    default:
      return false;
  }
}
