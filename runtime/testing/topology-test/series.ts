/** Metrics as a test names them, and their values as the engine would serve them. */
export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** `mach_node_in_events_total{node="order", kind="operator"}`; undefined when it is written otherwise. */
export function parseSeries(text: string): Series | undefined {
  const [, name, rest = ''] = /^([a-z_][a-z0-9_]*)(?:\{(.*)\})?$/.exec(text) ?? [];
  if (name === undefined) return undefined;
  if (!/^\s*(?:[a-z_]+="[^"]*"\s*(?:,\s*|$))*$/.test(rest)) return undefined;
  const found = rest.matchAll(/([a-z_]+)="([^"]*)"/g);
  return { name, labels: Object.fromEntries([...found].map(([, label = '', value = '']) => [label, value])) };
}

/** The sum of the samples that have these labels, whatever others they have; undefined when there is none. */
export function valueOfSeries(exposition: string, wanted: Series): number | undefined {
  let sum: number | undefined;
  for (const line of exposition.split('\n')) {
    const [, text = '', value] = /^([^#\s{]+(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
    const series = parseSeries(text);
    if (series?.name !== wanted.name) continue;
    if (Object.entries(wanted.labels).every(([label, one]) => series.labels[label] === one)) {
      sum = (sum ?? 0) + Number(value);
    }
  }
  return sum;
}
