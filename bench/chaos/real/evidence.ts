/** What the engine's own metrics, the store's counters and the process table say of a campaign. */
import { readFileSync } from 'node:fs';

export type Metrics = ReadonlyMap<string, number>;

/** Sums over all label sets; outcomes and other labels that the judge asks for stand in the name as `{outcome="late"}`. */
export async function readMetrics(observeUrl: string): Promise<Metrics> {
  const response = await fetch(`${observeUrl}/metrics`, { signal: AbortSignal.timeout(2_000) });
  const sums = new Map<string, number>();
  const add = (name: string, value: number) => sums.set(name, (sums.get(name) ?? 0) + value);
  for (const line of (await response.text()).split('\n')) {
    const [, name, labels = '', text] = /^([a-z_0-9]+)(\{.*\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined || text === undefined) continue;
    add(name, Number(text));
    const outcome = /outcome="(\w+)"/.exec(labels)?.[1];
    if (outcome) add(`${name}{${outcome}}`, Number(text));
  }
  return sums;
}

export function sumMetrics(all: readonly Metrics[]): Metrics {
  const sums = new Map<string, number>();
  for (const metrics of all) for (const [name, value] of metrics) sums.set(name, (sums.get(name) ?? 0) + value);
  return sums;
}

/** Partitions that a worker runs; none while it does not answer. */
export async function ownedBy({ observeUrl }: { readonly observeUrl: string | undefined }): Promise<readonly number[]> {
  if (observeUrl === undefined) return [];
  try {
    const response = await fetch(`${observeUrl}/status`, { signal: AbortSignal.timeout(2_000) });
    return ((await response.json()) as { partitions: { owned: readonly number[] } }).partitions.owned;
  } catch {
    return [];
  }
}

/** Resident memory of a process, MiB; 0 when it is gone. */
export function residentMib(processId: number): number {
  try {
    const pages = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${processId}/status`, 'utf8'))?.[1];
    return Math.round(Number(pages ?? 0) / 1_024);
  } catch {
    return 0;
  }
}

export interface MemorySample {
  readonly processId: number;
  /** Ms since the process began. */
  readonly ageMs: number;
  readonly residentMib: number;
}

export interface MemoryVerdict {
  readonly flat: boolean;
  /** Of the process that lived longest. */
  readonly observedMs: number;
  readonly earlyMib: number;
  readonly lateMib: number;
  readonly rule: string;
}

const warmUpMs = 8_000;
const growthMax = 1.35;
const growthMibMax = 96;
const rule = `of the engine process that lived longest, after ${warmUpMs / 1_000} s: median of the last third at most ${growthMax} times that of the first third and ${growthMibMax} MiB`;

/** Fewer say nothing of whether it grows. */
const warmSamplesMin = 6;

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

/** `excluded`: processes whose heap was filled on purpose. */
export function judgeMemory(samples: readonly MemorySample[], excluded: ReadonlySet<number>): MemoryVerdict {
  const byProcess = new Map<number, MemorySample[]>();
  for (const sample of samples) {
    if (excluded.has(sample.processId) || sample.residentMib === 0) continue;
    byProcess.set(sample.processId, [...(byProcess.get(sample.processId) ?? []), sample]);
  }
  const lifetime = (list: readonly MemorySample[]) => list.at(-1)?.ageMs ?? 0;
  const longest = [...byProcess.values()].sort((a, b) => lifetime(b) - lifetime(a))[0] ?? [];
  const warm = longest.filter(({ ageMs }) => ageMs >= warmUpMs).map(({ residentMib }) => residentMib);
  const third = Math.max(1, Math.floor(warm.length / 3));
  const earlyMib = median(warm.slice(0, third));
  const lateMib = median(warm.slice(-third));
  const isObserved = warm.length >= warmSamplesMin;
  const flat = isObserved && lateMib <= earlyMib * growthMax + growthMibMax;
  return { flat, observedMs: lifetime(longest), earlyMib, lateMib, rule };
}

export interface Evidence {
  /** Once, and from time to time. */
  look(): Promise<void>;
  /** Summed over all processes that there were: counters of the engine begin anew with each. */
  total(metric: string): number;
  readonly deduplicatedInserts: number;
  readonly memory: readonly MemorySample[];
}

export interface Watched {
  readonly engines: readonly {
    readonly processId: number;
    readonly startedAt: number;
    readonly observeUrl: string | undefined;
  }[];
  readonly store: { readonly processId: number; readonly url: string } | undefined;
}

const countedMetrics = [
  'mach_stage_repeated_outputs_total',
  'mach_sink_retried_batches_total',
  'mach_sink_repeated_batches_total',
  'mach_stage_checkpoints_total',
];

export function gatherEvidence(watched: () => Watched): Evidence {
  const newest = new Map<string, Map<number, number>>(countedMetrics.map((name) => [name, new Map()]));
  const deduplicated = new Map<number, number>();
  const memory: MemorySample[] = [];

  async function lookAtEngines(engines: Watched['engines']): Promise<void> {
    for (const { processId, startedAt, observeUrl } of engines) {
      memory.push({ processId, ageMs: Date.now() - startedAt, residentMib: residentMib(processId) });
      if (observeUrl === undefined) continue;
      const metrics = await readMetrics(observeUrl).catch(() => undefined);
      for (const [name, values] of newest) {
        const value = metrics?.get(name);
        if (value !== undefined) values.set(processId, Math.max(value, values.get(processId) ?? 0));
      }
    }
  }

  async function lookAtStore(store: Watched['store']): Promise<void> {
    if (!store) return;
    const sql = "SELECT value FROM system.events WHERE event = 'DuplicatedInsertedBlocks'";
    const answer = await fetch(`${store.url}/?query=${encodeURIComponent(sql)}`, {
      signal: AbortSignal.timeout(2_000),
    });
    const value = Number(await answer.text());
    if (answer.ok && value > 0) deduplicated.set(store.processId, value);
  }

  const sum = (values: ReadonlyMap<number, number>) => [...values.values()].reduce((total, value) => total + value, 0);
  return {
    async look() {
      const { engines, store } = watched();
      await Promise.all([lookAtEngines(engines), lookAtStore(store).catch(() => undefined)]);
    },
    total: (metric) => sum(newest.get(metric) ?? new Map()),
    get deduplicatedInserts() {
      return sum(deduplicated);
    },
    memory,
  };
}
