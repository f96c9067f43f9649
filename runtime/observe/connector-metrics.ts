/** Counters and gauges that connectors keep of themselves, by node, name and labels. */

export interface MetricSample {
  readonly node: string;
  readonly metric: string;
  readonly kind: 'counter' | 'gauge';
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const noLabels: Readonly<Record<string, string>> = Object.freeze({});

export class ConnectorMetrics {
  private readonly samples = new Map<string, { -readonly [K in keyof MetricSample]: MetricSample[K] }>();

  count(node: string, metric: string, by: number, labels?: Readonly<Record<string, string>>): void {
    this.sample(node, metric, 'counter', labels).value += by;
  }

  gauge(node: string, metric: string, value: number, labels?: Readonly<Record<string, string>>): void {
    this.sample(node, metric, 'gauge', labels).value = value;
  }

  all(): readonly MetricSample[] {
    return [...this.samples.values()];
  }

  private sample(node: string, metric: string, kind: MetricSample['kind'], labels = noLabels) {
    const identity =
      labels === noLabels ? `${node}\u0000${metric}` : `${node}\u0000${metric}\u0000${JSON.stringify(labels)}`;
    let sample = this.samples.get(identity);
    if (!sample) {
      sample = { node, metric, kind, labels, value: 0 };
      this.samples.set(identity, sample);
    }
    return sample;
  }
}
