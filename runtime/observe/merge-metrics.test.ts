import { expect, it } from 'vitest';
import { mergeMetrics } from './merge-metrics.ts';

const page = (value: number) => `# HELP mach_stage_busy_seconds_total Time
# TYPE mach_stage_busy_seconds_total counter
mach_stage_busy_seconds_total{topology="lab"} ${value}

# HELP mach_uptime_seconds Time since the start
# TYPE mach_uptime_seconds gauge
mach_uptime_seconds ${value + 1}
`;

it('names the worker of every sample, and each family once', () => {
  const merged = mergeMetrics([
    { worker: 'w1', text: page(1) },
    { worker: 'w2', text: page(2) },
  ]);
  expect(merged).toBe(`# HELP mach_stage_busy_seconds_total Time
# TYPE mach_stage_busy_seconds_total counter
mach_stage_busy_seconds_total{worker="w1",topology="lab"} 1
mach_stage_busy_seconds_total{worker="w2",topology="lab"} 2

# HELP mach_uptime_seconds Time since the start
# TYPE mach_uptime_seconds gauge
mach_uptime_seconds{worker="w1"} 2
mach_uptime_seconds{worker="w2"} 3
`);
});
