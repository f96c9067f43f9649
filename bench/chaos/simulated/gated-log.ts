/** The log as one simulated process sees it: through its gate, with what it learns counted. */
import type { AppendOptions, Log, LogStream, ObjectStore, Payload } from '../../../runtime/bus/log.ts';
import { MachError } from '../../../runtime/errors.ts';
import type { Gate } from './gate.ts';

export interface LogHooks {
  /** The log had it already. */
  repeated(): void;
  /** Another owner has written: the append was refused. */
  fenced(): void;
}

/** `leases`: a client that is paused and killed with the process by itself. */
export function gatedLog(inner: Log, leases: Log, gate: Gate, hooks: LogHooks): Log {
  const { through } = gate;
  return {
    ...inner,
    async stream(spec) {
      return gatedStream(await through(() => inner.stream(spec)), gate, hooks);
    },
    async objects(bucket) {
      const objects = await through(() => inner.objects(bucket));
      return {
        put: (name, data) => through(() => objects.put(name, data)),
        get: (name) => through(() => objects.get(name)),
        list: () => through(() => objects.list()),
        delete: (name) => through(() => objects.delete(name)),
      } satisfies ObjectStore;
    },
    lease: (options) => through(() => leases.lease(options)),
    async find(name) {
      const found = await through(() => inner.find(name));
      return found && gatedStream(found, gate, hooks);
    },
    check: () => through(() => inner.check()),
  };
}

function gatedStream(inner: LogStream, gate: Gate, hooks: LogHooks): LogStream {
  const { through } = gate;

  async function append(subject: string, payload: Payload, options?: AppendOptions) {
    try {
      const appended = await inner.append(subject, payload, options);
      if (appended.duplicate) hooks.repeated();
      return appended;
    } catch (error) {
      if (error instanceof MachError && error.code === 'MACH3001') hooks.fenced();
      throw error;
    }
  }

  return {
    spec: inner.spec,
    messageBytesMax: inner.messageBytesMax,
    append: (subject, payload, options) => through(() => append(subject, payload, options)),
    async *read(options) {
      await gate.pass();
      for await (const message of inner.read(options)) {
        await gate.pass();
        yield message;
      }
    },
    last: (subject) => through(() => inner.last(subject)),
    get: (sequence) => through(() => inner.get(sequence)),
    state: () => through(() => inner.state()),
  };
}
