/** A topology file beside the version of it that was started last: commands that look into the past take the file, as it is now. */
import type { ObjectStore } from '../bus/log.ts';
import type { Manifest } from '../execution/upgrade/manifest.ts';
import { lastVersion } from '../execution/upgrade/versions.ts';
import { isPersonal } from '../stream/privacy.ts';
import type { Field, Schema } from '../stream/schema.ts';
import type { BoundTopology } from '../topology/bound.ts';
import type { CommandContext } from './context.ts';
import { cliErrors } from './errors.ts';

/** Says so where another version was started last. Throws MACH1665 where that tags what the file does not: or who edits a file would see what is hidden. */
export async function compareWithLast(
  objects: ObjectStore,
  topology: BoundTopology,
  { context, reveals }: { context: CommandContext; reveals: boolean },
): Promise<void> {
  const version = await lastVersion(objects);
  if (!version || version.manifest.hash === topology.hash) return;
  const { file } = topology;
  const fields = reveals ? [] : fieldsUntagged(version.manifest, topology);
  if (fields.length > 0) throw cliErrors.make('MACH1665', { file, fields: fields.join(', ') });
  const hash = version.manifest.hash.slice(0, 8);
  context.printError(
    `${file} is not the version that was started last (${hash}): what follows is by the file as it is now`,
  );
}

/** Fields that pointed at a person, and of which the topology does not say so. */
function fieldsUntagged(last: Manifest, { sources, operators, sinks }: BoundTopology): readonly string[] {
  const pairs: (readonly [Schema | undefined, Schema | undefined])[] = sources.map(({ id, bound }) => [
    last.sources[id]?.schema,
    bound.ports.out,
  ]);
  for (const { id, inputs } of [...operators, ...sinks]) {
    const before = last.operators[id] ?? last.sinks[id];
    for (const { input, schema } of inputs) pairs.push([before?.schemas[input], schema]);
  }
  const found = pairs.flatMap(([before, now]) =>
    Object.entries(before?.fields ?? {}).flatMap(([name, field]) => {
      const known = now && Object.hasOwn(now.fields, name) ? (now.fields[name] as Field) : undefined;
      return known && isPersonal(field) && !isPersonal(known) ? [name] : [];
    }),
  );
  return [...new Set(found)];
}
