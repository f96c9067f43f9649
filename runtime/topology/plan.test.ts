import { describe, expect, it } from 'vitest';
import { explainPlan } from './explain.ts';
import { formatGraph } from './graph.ts';
import { visit } from './ir/visitor.ts';
import { loadTopology } from './load.ts';
import { edgeToken, parseEdgeToken, topologyNames } from './names.ts';
import { planTopology } from './plan.ts';
import { fromText, goodTopology, testCatalogue, testEnvironment } from './test-catalogue.ts';

function good() {
  const { topology } = loadTopology('t.yaml', {
    catalogue: testCatalogue,
    env: testEnvironment,
    readFile: fromText(goodTopology),
  });
  if (!topology) throw new Error('the good topology is not good');
  return topology;
}

describe('the plan', () => {
  it('has a stage that reads what the sources append, and a share of the work for each partition', () => {
    const plan = planTopology(good(), { partitions: 2 });
    expect(plan.stages).toMatchObject([
      {
        name: 's1',
        partitions: 2,
        inputStream: 'mach-waiting-rooms-s1-in',
        inputSubjects: ['mach.waiting-rooms.s1.in.adt.0', 'mach.waiting-rooms.s1.in.bed_files.0'],
        outputStream: 'mach-waiting-rooms-s1-out',
        operators: ['waiting', 'per_hospital', 'with_beds', 'load'],
      },
    ]);
    expect(plan.operators[1]).toMatchObject({ key: ['hospital'], stateful: true, stateBytesPerKey: { counts: 64 } });
    expect(plan.sinks.map(({ tables }) => tables.map(({ name }) => name))).toEqual([['ed_status'], ['late_visits']]);
  });

  it('is explained in words', () => {
    const text = explainPlan(planTopology(good()));
    expect(text).toContain('stage s1, 1 partition: waiting, per_hospital, with_beds, load');
    expect(text).toContain('adt: visits, durable by broker, idle after 2m, up to 5s out of order');
    expect(text).toContain('with_beds: join of left per_hospital, right bed_files');
    expect(text).toContain('state counts about 64 bytes per key');
    expect(text).toContain('patient_name     string [direct]');
    expect(text).toContain('table ed_status, append rows, sorted by hospital');
  });

  it('is drawn', () => {
    const { ir } = good();
    expect(formatGraph(ir, 'mermaid').split('\n')).toContain('  n_per_hospital -->|left| n_with_beds');
    expect(formatGraph(ir, 'mermaid').split('\n')).toContain('  n_per_hospital -->|late| n_late');
    expect(formatGraph(ir, 'dot')).toContain('"per_hospital" -> "late" [label="late"];');
    expect(JSON.parse(formatGraph(ir, 'json'))).toMatchObject({
      name: 'waiting-rooms',
      edges: expect.arrayContaining([{ from: 'bed_files', port: 'out', to: 'with_beds', input: 'right' }]),
    });
  });
});

describe('the intermediate representation', () => {
  it('is frozen plain data that survives serialisation', () => {
    const { ir } = good();
    expect(JSON.parse(JSON.stringify(ir))).toEqual(ir);
    visit(ir, {
      OptionsNode: (node) => expect(Object.isFrozen(node.value)).toBe(true),
      OperatorNode: (node) => expect(Object.isFrozen(node)).toBe(true),
    });
  });

  it('is visited parents first, every kind', () => {
    const seen: string[] = [];
    const note = ({ kind }: { kind: string }) => seen.push(kind);
    visit(good().ir, {
      TopologyNode: note,
      SourceNode: note,
      OperatorNode: note,
      SinkNode: note,
      EdgeNode: note,
      OptionsNode: note,
      ReferenceNode: note,
    });
    expect(seen.slice(0, 3)).toEqual(['TopologyNode', 'SourceNode', 'OptionsNode']);
    expect(seen.filter((kind) => kind === 'EdgeNode')).toHaveLength(7);
    expect(seen.filter((kind) => kind === 'ReferenceNode')).toHaveLength(7);
  });
});

describe('names in the log', () => {
  it('carry the edge with its port', () => {
    expect(edgeToken({ node: 'adt', port: 'out' })).toBe('adt');
    for (const edge of [
      { node: 'adt', port: 'out' },
      { node: 'adt', port: 'merge' },
    ]) {
      expect(parseEdgeToken(edgeToken(edge))).toEqual(edge);
    }
  });

  it('sort checkpoints by sequence, and refuse what is no name', () => {
    const names = topologyNames('rooms');
    expect(names.checkpointObject('s1', 0, 9) < names.checkpointObject('s1', 0, 10)).toBe(true);
    expect(() => topologyNames('a.b')).toThrow('is not the name of a topology');
  });
});
