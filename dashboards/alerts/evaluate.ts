/** A rule as Grafana evaluates it: query, newest value of each series, bound, and how long it has held. For tests, since no Grafana is to be had there. */
import type { Store } from '../../runtime/store/store.ts';
import { expandQuery } from '../check/expand.ts';
import type { AlertRule } from './rule.ts';

export type AlertState = 'normal' | 'pending' | 'alerting';

export interface RuleWatch {
  /** Looks once, at an instant of the range's end, ms; the state of each instance, by its labels as JSON. Looks come in order of time. */
  look(at: number): Promise<ReadonlyMap<string, AlertState>>;
}

const noDataInstance = JSON.stringify({});

/** Values by labels; empty when there is no data. Throws when the answer is not numeric, as Grafana does. */
async function valuesOf(store: Store, rule: AlertRule, at: number): Promise<Map<string, number>> {
  const range = { from: at - rule.lookBackMinutes * 60_000, to: at, intervalMs: 1_000 };
  const rows = await store.query(expandQuery(rule.sql, range));
  const values = new Map<string, number>();
  for (const row of rows) {
    const cells = Object.entries(row).filter(([, cell]) => cell !== null);
    const numbers = cells.filter(([, cell]) => typeof cell === 'number');
    const labels = cells.filter(([, cell]) => typeof cell === 'string');
    if (numbers.length > 1 || numbers.length + labels.length < cells.length) {
      throw new Error(`${rule.uid} gives ${JSON.stringify(row)}: a rule wants one number and labels of text`);
    }
    const [number] = numbers;
    if (number) values.set(JSON.stringify(Object.fromEntries(labels)), number[1] as number);
  }
  return values;
}

export function watchRule(store: Store, rule: AlertRule): RuleWatch {
  /** Since when each instance has been over the bound. */
  const since = new Map<string, number>();
  return {
    async look(at) {
      const values = await valuesOf(store, rule, at);
      const isOver = new Map([...values].map(([labels, value]) => [labels, value > rule.above]));
      if (values.size === 0) isOver.set(noDataInstance, rule.noData === 'Alerting');
      for (const labels of since.keys()) if (!isOver.get(labels)) since.delete(labels);
      const states = new Map<string, AlertState>();
      for (const [labels, over] of isOver) {
        if (!over) {
          states.set(labels, 'normal');
          continue;
        }
        const from = since.get(labels) ?? at;
        since.set(labels, from);
        states.set(labels, at - from >= rule.forMinutes * 60_000 ? 'alerting' : 'pending');
      }
      return states;
    },
  };
}
