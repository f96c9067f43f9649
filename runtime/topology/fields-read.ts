/** Which fields of a source anything behind it reads, so that a source that can need not make the others. */
import type { Schema } from '../stream/schema.ts';
import type { BoundOperatorNode, BoundTopology, NodePort } from './bound.ts';

/** Source id to names. Sinks read all that comes to them, and so does whoever looks at a node that nothing stands behind. */
export function fieldsReadOf({
  sources,
  operators,
  sinks,
}: Pick<BoundTopology, 'sources' | 'operators' | 'sinks'>): ReadonlyMap<string, ReadonlySet<string>> {
  const wanted = new Map<string, Map<string, Set<string>>>();
  const want = ({ node, port }: NodePort, fields: Iterable<string>) => {
    const ports = wanted.get(node) ?? new Map<string, Set<string>>();
    const names = ports.get(port) ?? new Set();
    for (const name of fields) names.add(name);
    ports.set(port, names);
    wanted.set(node, ports);
  };
  for (const { inputs } of sinks) for (const { from, schema } of inputs) want(from, Object.keys(schema.fields));
  // Whoever reads a node stands behind it: from the end to the beginning each is complete when its turn comes.
  for (const operator of [...operators].reverse()) {
    const ports = wanted.get(operator.id) ?? new Map([['out', allOf(operator.ports.out)]]);
    for (const { input, from, schema } of operator.inputs) {
      const read = fieldsOfInput(operator, input, ports);
      want(from, read ? Object.keys(schema.fields).filter((name) => read.has(name)) : Object.keys(schema.fields));
    }
  }
  return new Map(
    sources.map(({ id, ports }) => {
      const read = wanted.get(id);
      return [id, read ? new Set([...read.values()].flatMap((names) => [...names])) : allOf(ports.out)];
    }),
  );
}

function allOf(schema: Schema | undefined): ReadonlySet<string> {
  return new Set(Object.keys(schema?.fields ?? {}));
}

/** Undefined: all of them. */
function fieldsOfInput(
  { bound, fieldsNamed }: BoundOperatorNode,
  input: string,
  ports: ReadonlyMap<string, ReadonlySet<string>>,
): ReadonlySet<string> | undefined {
  if (!bound.reads) return undefined;
  const read = new Set(fieldsNamed[input]);
  const given = new Set<string>();
  for (const [port, names] of ports) {
    // By these an event leaves as it came.
    const target = port === 'late' || port === 'dead' ? read : given;
    for (const name of names) target.add(name);
  }
  for (const name of bound.reads(given, input)) read.add(name);
  return read;
}
