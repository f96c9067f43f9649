/** Answers what a panel shows: its queries of the board, macros and variables filled in, read within bounds. */
import type { ReadColumn, ReadResult } from '../store/store.ts';
import { type Board, panelsOf } from './board.ts';
import { type Chosen, chooseVariables, type Option } from './choices.ts';
import { boardErrors } from './errors.ts';
import { type Globals, interpolate, type VariableValue } from './interpolate.ts';
import { bucketMs } from './interval.ts';
import { boardLimits } from './limits.ts';
import { expandMacros } from './macros.ts';

export interface Question {
  readonly board: Board;
  /** ms since the epoch. */
  readonly from: number;
  readonly to: number;
  readonly chosen: Chosen;
  /** Points that the panel has room for. */
  readonly points: number;
}

export interface Frame {
  readonly refId: string;
  /** 0: time series, 1: table. */
  readonly format: number;
  readonly columns: readonly ReadColumn[];
  readonly rows: readonly (readonly unknown[])[];
}

export interface PanelAnswer {
  readonly frames: readonly Frame[];
  readonly intervalMs: number;
}

export type Read = (sql: string) => Promise<ReadResult>;

/** Rejects with MACH3302, MACH3303, MACH3304, or what the store says. */
export async function askPanel(question: Question, panelId: number, read: Read): Promise<PanelAnswer> {
  const panel = panelsOf(question.board).find(({ id }) => id === panelId);
  if (!panel) throw boardErrors.make('MACH3302', { what: 'panel', name: panelId });
  const points = Math.min(panel.maxDataPoints ?? question.points, boardLimits.pointsMax);
  const globals = globalsOf(question, bucketMs(question.to - question.from, points, panel.interval));
  const variables = await chooseVariables({ ...question, globals, read });
  const frames = panel.targets
    .filter(({ hide, rawSql }) => hide !== true && rawSql)
    .map(async ({ refId, rawSql = '', format = 1 }): Promise<Frame> => {
      const { columns, rows } = await read(panelSql(rawSql, globals, variables));
      return { refId, format, columns, rows };
    });
  return { frames: await Promise.all(frames), intervalMs: globals.intervalMs };
}

/** The text of a query as the store gets it. Macros first: `$__conditionalAll` takes a variable by its name. */
export function panelSql(sql: string, globals: Globals, variables: ReadonlyMap<string, VariableValue>): string {
  const isAll = (name: string) => variables.get(name)?.isAll === true;
  const text = interpolate(expandMacros(sql, { ...globals, isAll }), variables, globals);
  if (text.length <= boardLimits.queryTextLengthMax) return text;
  const reason = `it has ${text.length} characters, more than ${boardLimits.queryTextLengthMax} (queryTextLengthMax)`;
  throw boardErrors.make('MACH3303', { reason });
}

export interface VariableAnswer {
  readonly name: string;
  readonly options: readonly Option[];
  readonly values: readonly string[];
  readonly isAll: boolean;
}

/** Options of all variables of a board, with what is chosen. */
export async function askVariables(question: Question, read: Read): Promise<VariableAnswer[]> {
  const globals = globalsOf(question, bucketMs(question.to - question.from, question.points));
  const answers: VariableAnswer[] = [];
  await chooseVariables({ ...question, globals, read }, ({ name }, options, { values, isAll }) => {
    answers.push({ name, options, values, isAll });
  });
  return answers;
}

function globalsOf({ from, to }: Question, intervalMs: number): Globals {
  if (!(to > from)) throw boardErrors.make('MACH3304', { reason: 'the time range ends before it begins' });
  if (to - from > boardLimits.timeRangeMs) {
    const days = boardLimits.timeRangeMs / 86_400_000;
    throw boardErrors.make('MACH3304', { reason: `the time range is longer than ${days} days (timeRangeMs)` });
  }
  return { from, to, intervalMs };
}
