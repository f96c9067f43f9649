/** What `/metrics` says, by which convention, and that `docs/metrics.md` says the same. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { openLab } from '../testing/engine-lab.ts';
import type { MetricSample } from './connector-metrics.ts';
import { renderMetrics } from './metrics.ts';
import { engineStatus } from './status.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: { labels: Record<string, string>; value: number }[];
}

/** The text format of Prometheus 0.0.4; throws on a line that is none of it. */
function parseMetrics(text: string): Family[] {
  const families = new Map<string, Family & { type: string; help: string }>();
  const family = (name: string) => {
    const known = families.get(name) ?? { name, type: '', help: '', samples: [] };
    families.set(name, known);
    return known;
  };
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const help = /^# HELP (\S+) (.*)$/.exec(line);
    const type = /^# TYPE (\S+) (counter|gauge)$/.exec(line);
    const sample = /^(\w+)(?:\{(.*)\})? (-?[\d.e+-]+)$/.exec(line);
    if (help) family(help[1] as string).help = help[2] as string;
    else if (type) family(type[1] as string).type = type[2] as string;
    else if (sample) {
      const labels = [...(sample[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
      family(sample[1] as string).samples.push({
        labels: Object.fromEntries(labels.map(([, name, value]) => [name, value])),
        value: Number(sample[3]),
      });
    } else throw new Error(`not a line of metrics: ${line}`);
  }
  return [...families.values()];
}

const topology = `
version: 1
name: lab
sources: { calls: { pulses: {}, idle: 30d } }
operators:
  kept: { keep: { from: calls, min: 1 } }
  order: { numbered: { from: kept } }
sinks: { rows: { collect: { from: order } } }
`;

const samples: readonly MetricSample[] = [
  { node: 'adt', metric: 'messages_total', kind: 'counter', labels: { type: 'A01 "quoted"\n' }, value: 3 },
  { node: 'bus', metric: 'messages_total', kind: 'counter', labels: {}, value: 2 },
  { node: 'beds', metric: 'rows_refused_total', kind: 'counter', labels: {}, value: 1 },
  { node: 'status', metric: 'rows_refused_total', kind: 'counter', labels: { table: 'ed' }, value: 4 },
  { node: 'adt', metric: 'connections', kind: 'gauge', labels: {}, value: 7 },
];

let families: Family[] = [];

beforeAll(async () => {
  const lab = openLab({ topology });
  const process = await lab.start();
  await lab.clock.advance(20_000);
  const events = [0, 1, 2].map((value) => ({
    event: { id: `e${value}`, hospital: 'H1', value, patient: null },
    time: 1_700_000_000_000 + value * 10_000,
  }));
  await lab.drive(process.source('calls').append({ origin: 'H1', events }));
  await lab.settle(process);
  const { engine } = process;
  if (!engine) throw new Error('the engine has not started');
  const { heap } = engine;
  const metrics = { all: () => samples };
  families = parseMetrics(await renderMetrics(await engineStatus(engine, lab.clock.now()), { metrics, heap }));
});

const find = (name: string) => families.find((family) => family.name === name)?.samples ?? [];

describe('metrics', () => {
  it('say what happened', () => {
    const accounting = find('mach_accounting_events_total').map(({ labels, value }) => [labels.outcome, value]);
    expect(Object.fromEntries(accounting)).toEqual({
      in: 3,
      delivered: 2,
      filtered: 1,
      late: 0,
      dropped: 0,
      dead_lettered: 0,
    });
    const labels = (node: string, kind: string) => ({ topology: 'lab', node, kind });
    expect(find('mach_node_filtered_events_total')).toContainEqual({ labels: labels('kept', 'operator'), value: 1 });
    expect(find('mach_node_out_events_total')).toContainEqual({ labels: labels('rows', 'sink'), value: 2 });
    expect(find('mach_node_watermark_seconds')).toContainEqual({
      labels: labels('order', 'operator'),
      value: 1_700_000_020,
    });
    expect(find('mach_stage_behind_messages')[0]?.value).toBe(0);
  });

  it('of connectors that tell one thing apart by other labels stand side by side', () => {
    expect(find('mach_connector_rows_refused_total')).toEqual([
      { labels: { topology: 'lab', node: 'beds' }, value: 1 },
      { labels: { topology: 'lab', node: 'status', table: 'ed' }, value: 4 },
    ]);
    expect(find('mach_connector_messages_total').map(({ value }) => value)).toEqual([3, 2]);
    expect(find('mach_connector_connections')[0]?.value).toBe(7);
  });

  it('have names by the convention, and counters alone end in _total', () => {
    const units = 'events|requests|seconds|bytes|keys|messages|checkpoints|outputs|batches|workers|owned';
    for (const { name, type, help } of families.filter(({ name }) => !name.startsWith('mach_connector_'))) {
      expect(name).toMatch(new RegExp(`^mach_[a-z0-9_]*(${units})(_total)?$`));
      expect(name.endsWith('_total'), name).toBe(type === 'counter');
      expect(help, name).not.toBe('');
    }
  });
});

/** Metrics that the connectors keep, read off their code: `count('files_total', ...`. */
function connectorMetrics(): Map<string, string> {
  const found = new Map<string, string>();
  const folder = join(root, 'connectors');
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!entry.endsWith('.ts') || /test|fixture/.test(entry)) continue;
    const text = readFileSync(join(folder, entry), 'utf8');
    for (const [, call, name] of text.matchAll(/\b(count|gauge)\(\s*'(\w+)'/g)) {
      found.set(`mach_connector_${name}`, call === 'count' ? 'counter' : 'gauge');
    }
  }
  return found;
}

describe('docs/metrics.md', () => {
  const rows = [
    ...readFileSync(join(root, 'docs/metrics.md'), 'utf8').matchAll(/^\| `(\w+)` \| (\w+) \| (.*?) \| (.*) \|$/gm),
  ].map(([, name, type, labels, meaning]) => ({ name, type, labels, meaning }));
  const documented = (own: boolean) => rows.filter(({ name }) => name?.startsWith('mach_connector_') === own);

  it('lists the metrics of the engine as the engine says them', () => {
    const engine = families
      .filter(({ name }) => !name.startsWith('mach_connector_'))
      .map(({ name, type, help }) => ({ name, type, meaning: help }));
    const listed = documented(false).map(({ name, type, meaning }) => ({ name, type, meaning }));
    expect(listed).toEqual(engine);
  });

  it('lists the metrics of the connectors, and no others', () => {
    const listed = new Map(documented(true).map(({ name, type }) => [name, type]));
    expect(new Map([...listed].sort())).toEqual(new Map([...connectorMetrics()].sort()));
    for (const [name, type] of listed) expect(name?.endsWith('_total'), name).toBe(type === 'counter');
  });
});
