/** The main job against the simulated city: what was computed is what happened, however the log was cut, crashed or not. */
import { deserialize, serialize } from 'node:v8';
import { beforeAll, describe, expect, it } from 'vitest';
import { catalogue } from '../catalogue.ts';
import type { OutputRow } from '../runtime/execution/log-frame.ts';
import { rowByRow } from '../runtime/execution/output-run.ts';
import { StageMachine, type StageSnapshot } from '../runtime/execution/stage-machine.ts';
import { seededRandom } from '../runtime/random.ts';
import { isBalanced } from '../runtime/stream/ledger.ts';
import { type BoundTopology, loadTopology } from '../runtime/topology/index.ts';
import { type ScenarioName, scenarioNames, truthOf } from '../simulator/city/index.ts';
import { type CityRun, type Said, saidByCity } from './city-log.ts';

const hourMs = 3_600_000;
const city: CityRun = {
  seed: 11,
  hospitals: 8,
  start: Date.parse('2026-03-02T07:00:00+07:00'),
  durationMs: 2 * hourMs,
  scenario: 'surge',
};

interface Ran {
  /** Rows of each sink, in order, without their places in the log. */
  readonly rows: ReadonlyMap<string, readonly { event: unknown; time: number }[]>;
  readonly accounting: StageMachine['accounting'];
}

function load(): BoundTopology {
  const env = { MACH_BED_FILES: 'inbox' };
  const { topology, diagnostics } = loadTopology('topologies/emergency-overload.yaml', { catalogue, env });
  expect(diagnostics).toEqual([]);
  return topology as BoundTopology;
}

/** `groupSize`: how many appends of one source in a row become one log message; `crashAt`: messages after which it dies. */
function runLog(
  said: readonly Said[],
  groupSize: () => number,
  crashAt: (message: number) => boolean = () => false,
): Ran {
  const rows = new Map<string, OutputRow[]>();
  const topology = load();
  const start = () =>
    new StageMachine(topology, {
      rows: rowByRow((output, row) => {
        const list = rows.get(output) ?? [];
        list.push(row);
        rows.set(output, list);
      }),
      question() {},
    });
  let machine = start();
  let sequence = 0;
  const append = (source: string, frame: Parameters<StageMachine['handle']>[2]) => {
    machine.handle(++sequence, source, frame);
    if (!crashAt(sequence)) return;
    const saved = deserialize(serialize(machine.snapshot())) as StageSnapshot;
    machine = start();
    machine.restore(saved);
  };
  for (let at = 0; at < said.length; ) {
    const first = said[at] as Said;
    const group: Said[] = [];
    for (const size = groupSize(); group.length < size && said[at]?.source === first.source; at++)
      group.push(said[at] as Said);
    append(first.source, {
      kind: 'source',
      acceptedAt: 1,
      segments: group.map(({ origin, events }) => ({ origin, events: events.length })),
      deadLetters: group.flatMap(({ deadLetters }) => [...deadLetters]),
      events: group.flatMap(({ events }) => events.map(({ event }) => event)),
      times: group.flatMap(({ events }) => events.map(({ time }) => time)),
    });
  }
  for (const { id } of topology.sources) {
    const idle = machine.origins(id).map((origin) => ({ origin, elapsedMs: hourMs / 4 }));
    append(id, { kind: 'silence', idle, closed: [] });
  }
  const { accounting } = machine;
  expect(isBalanced(accounting), JSON.stringify(accounting)).toBe(true);
  return {
    rows: new Map([...rows].map(([name, list]) => [name, list.map(({ event, time }) => ({ event, time }))])),
    accounting,
  };
}

describe('emergency-overload', () => {
  let said: Said[];
  let whole: Ran;

  beforeAll(async () => {
    said = await saidByCity(load(), city);
    whole = runLog(said, () => 1);
  });

  it.each(scenarioNames)(
    'census, boarding and waiting equal the truth when the late messages are in: %s',
    async (scenario: ScenarioName) => {
      const run = { ...city, scenario };
      const { rows } = runLog(await saidByCity(load(), run), () => 5);
      const computed = new Map<string, { census: number; boarding: number; waiting: number }>();
      for (const { event } of rows.get('ed_status') ?? []) {
        const row = event as { hospital: string; minute: number; census: number; boarding: number; waiting: number };
        computed.set(`${row.hospital}/${row.minute}`, {
          census: row.census,
          boarding: row.boarding,
          waiting: row.waiting,
        });
      }
      const truth = truthOf(run);
      expect(truth.length).toBeGreaterThan(900);
      for (const { hospital, minute, census, boarding, waiting } of truth) {
        const place = `${hospital} ${new Date(minute).toISOString()}`;
        expect({ place, ...computed.get(`${hospital}/${minute}`) }).toEqual({ place, census, boarding, waiting });
      }
    },
  );

  it('gives rows to every sink', () => {
    expect([...whole.rows.keys()].sort()).toEqual(
      expect.arrayContaining(['bed_status', 'dispatchers', 'ed_status', 'emergency_calls', 'hospitals']),
    );
    expect(whole.rows.get('alerts')?.length).toBeGreaterThan(0);
    expect(whole.accounting.dead_lettered).toBeGreaterThan(0);
    expect(whole.accounting.dropped_by_reason.duplicate).toBeGreaterThan(0);
  });

  it.each([1, 2, 3])('is the same however the input is cut into batches, and after crashes (seed %i)', (seed) => {
    const random = seededRandom(seed);
    const cut = runLog(
      said,
      () => random.int(1, 40),
      () => random.float() < 0.02,
    );
    expect(cut.accounting).toEqual(whole.accounting);
    for (const [sink, expected] of whole.rows) expect(cut.rows.get(sink), `rows of ${sink}`).toEqual(expected);
  });
});
