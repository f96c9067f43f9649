/** Objects in a stream of JetStream of their own. */
import type { StreamInfo } from '@nats-io/jetstream';
import { chunkedObjects, type ObjectBackend, objectStreamSpec, removeOrphans } from '../chunked-objects.ts';
import type { LogStream, ObjectStore, StreamSpec } from '../log.ts';
import type { Connection } from './connection.ts';
import { storedMessage } from './message.ts';
import { ensureStream } from './stream-config.ts';

export async function openObjects(
  connection: Connection,
  bucket: string,
  { makeStream, swept }: { makeStream(spec: StreamSpec, info: StreamInfo): LogStream; swept: Set<string> },
): Promise<ObjectStore> {
  const spec = objectStreamSpec(bucket);
  const stream = makeStream(spec, await ensureStream(connection, spec, { allowDirect: true }));
  const { manager } = connection;
  const backend: ObjectBackend = {
    append: (subject, payload) => stream.append(subject, payload),
    last: (subject) => stream.last(subject),
    async piece(subject) {
      // As raw bytes, where the leader's answer is JSON. A server that lags behind, or does not take part, leaves it to the leader.
      const found = await manager.direct.getMessage(spec.name, { last_by_subj: subject }).catch(() => null);
      return found ? storedMessage(found) : stream.last(subject);
    },
    async subjects(filter) {
      const info = await connection.persist(() => manager.streams.info(spec.name, { subjects_filter: filter }));
      return Object.keys(info.state.subjects ?? {});
    },
    async purge(filter) {
      await connection.persist(() => manager.streams.purge(spec.name, { filter }));
    },
  };
  if (!swept.has(bucket)) {
    swept.add(bucket);
    await removeOrphans(bucket, backend, Date.now());
  }
  return chunkedObjects(bucket, backend);
}
