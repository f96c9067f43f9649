/** A board: the part of Grafana's Classic JSON that is shown. What is not named here is passed on as it is. */
import { z } from 'zod';

const target = z.looseObject({
  refId: z.string(),
  rawSql: z.string().optional(),
  /** 0: time series, 1: table. */
  format: z.number().optional(),
  hide: z.boolean().optional(),
});

const gridPosition = z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() });

const panelBase = z.looseObject({
  id: z.number().int(),
  type: z.string(),
  title: z.string().default(''),
  gridPos: gridPosition,
  targets: z.array(target).default([]),
  maxDataPoints: z.number().int().positive().nullish(),
  interval: z.string().nullish(),
});

/** A collapsed row holds its panels. */
const panel = panelBase.extend({ panels: z.array(panelBase).optional() });

const option = z.looseObject({
  text: z.union([z.string(), z.array(z.string())]).optional(),
  value: z.union([z.string(), z.array(z.string())]).optional(),
});

const variable = z.looseObject({
  name: z.string().regex(/^\w+$/),
  type: z.enum(['query', 'custom', 'interval', 'constant', 'textbox', 'datasource', 'adhoc']),
  label: z.string().nullish(),
  hide: z.number().optional(),
  multi: z.boolean().optional(),
  includeAll: z.boolean().optional(),
  allValue: z.string().nullish(),
  query: z.unknown().optional(),
  regex: z.string().optional(),
  sort: z.number().optional(),
  current: option.optional(),
  options: z.array(option).optional(),
});

export const boardSchema = z.looseObject({
  uid: z.string().regex(/^[\w-]{1,80}$/),
  title: z.string().min(1),
  description: z.string().nullish(),
  schemaVersion: z.number().int(),
  tags: z.array(z.string()).default([]),
  time: z.object({ from: z.string(), to: z.string() }).default({ from: 'now-6h', to: 'now' }),
  refresh: z.union([z.string(), z.boolean()]).optional(),
  timezone: z.string().optional(),
  panels: z.array(panel),
  templating: z.looseObject({ list: z.array(variable).default([]) }).default({ list: [] }),
  links: z.array(z.looseObject({})).default([]),
});

export type Board = z.infer<typeof boardSchema>;
export type Panel = z.infer<typeof panelBase>;
export type Target = z.infer<typeof target>;
export type Variable = z.infer<typeof variable>;

/** All panels, those of collapsed rows as well; rows themselves are not among them. */
export function panelsOf(board: Pick<Board, 'panels'>): Panel[] {
  return board.panels.flatMap((one) => (one.type === 'row' ? (one.panels ?? []) : [one]));
}

/** What the browser gets: everything but the queries. */
export function withoutQueries(board: Board): unknown {
  const bare = <P extends Panel>(one: P) => ({
    ...one,
    targets: one.targets.map(({ refId, format, hide }) => ({ refId, format, hide })),
  });
  return {
    ...board,
    panels: board.panels.map((one) => ({ ...bare(one), ...(one.panels && { panels: one.panels.map(bare) }) })),
    templating: { list: board.templating.list.map(({ query: _, definition: __, ...shown }) => shown) },
  };
}
