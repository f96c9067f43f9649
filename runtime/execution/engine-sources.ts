/**
 * The sources of an engine: those that are open, and those that do not open yet because another worker may still have what they
 * want (its port). These are tried again for as long as their partition is held; its stages and sinks go on meanwhile.
 */
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Logger } from '../stream/definition.ts';
import type { BoundSourceNode } from '../topology/bound.ts';
import type { OpenSource, SourceStage } from './source-host.ts';

export interface WaitingSource {
  readonly node: BoundSourceNode;
  /** Of the last attempt. */
  readonly problem: string;
  readonly attempts: number;
}

export interface EngineSources {
  readonly open: readonly OpenSource[];
  readonly waiting: readonly WaitingSource[];
  /** Whether it is open, or waiting. */
  has(id: string): boolean;
  /** Those of a partition: the sources of the topology are shared out. */
  ofPartition(partition: number): readonly BoundSourceNode[];
  /** Resolves too when it does not open and another worker may be the cause; it is then among the waiting. */
  add(source: BoundSourceNode, stage: SourceStage): Promise<void>;
  /** Tells them to take nothing more in, and takes them out; the promises resolve when what they owe is answered. */
  release(ids: ReadonlySet<string>, reason: Error): readonly Promise<void>[];
  /** Nothing is tried any more; a source that opened meanwhile is closed again. */
  stopWaiting(): Promise<void>;
}

interface Attempts extends WaitingSource {
  stop(): Promise<void>;
}

export function engineSources(args: {
  readonly sources: readonly BoundSourceNode[];
  readonly partitions: number;
  readonly handedOver: ReadonlyMap<string, OpenSource> | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  openSource(source: BoundSourceNode, stage: SourceStage): Promise<OpenSource>;
  /** Whether another worker may have its port. */
  isContested(): boolean;
}): EngineSources {
  const { clock, logger } = args;
  const open: OpenSource[] = [];
  const waiting = new Map<string, Attempts>();

  function opened(source: OpenSource): void {
    open.push(source);
    logger.info({ source: source.id, address: source.running.address }, 'source open');
  }

  function keepTrying(node: BoundSourceNode, stage: SourceStage, error: unknown): Attempts {
    const stopping = new AbortController();
    let problem = messageOf(error);
    let attempts = 1;
    const work = (async () => {
      for (;;) {
        const retryMs = Math.min(limits.sourceRetryDelayMs * 2 ** (attempts - 1), limits.sourceRetryDelayMaxMs);
        logger.error(
          { source: node.id, attempts, retryMs, error: problem },
          'the source does not open; it is tried again',
        );
        await clock.sleep(retryMs, stopping.signal);
        try {
          const source = await args.openSource(node, stage);
          if (stopping.signal.aborted) return await source.close();
          waiting.delete(node.id);
          return opened(source);
        } catch (failure) {
          problem = messageOf(failure);
          attempts++;
        }
      }
    })().catch(() => undefined);
    return {
      node,
      get problem() {
        return problem;
      },
      get attempts() {
        return attempts;
      },
      stop() {
        stopping.abort(new Error('its partition is closing'));
        waiting.delete(node.id);
        return work;
      },
    };
  }

  return {
    open,
    get waiting() {
      return [...waiting.values()];
    },
    has: (id) => waiting.has(id) || open.some((source) => source.id === id),
    ofPartition: (partition) => args.sources.filter((_, index) => index % args.partitions === partition),
    async add(node, stage) {
      const handed = args.handedOver?.get(node.id);
      if (handed) {
        handed.attach(stage);
        open.push(handed);
        return;
      }
      try {
        opened(await args.openSource(node, stage));
      } catch (error) {
        if (!args.isContested()) throw error;
        waiting.set(node.id, keepTrying(node, stage, error));
      }
    },
    release(ids, reason) {
      const leaving = open.filter(({ id }) => ids.has(id));
      for (const source of leaving) {
        open.splice(open.indexOf(source), 1);
        source.stop(reason);
      }
      const given = [...waiting.values()].filter(({ node }) => ids.has(node.id));
      return [...leaving.map((source) => source.close()), ...given.map((one) => one.stop())];
    },
    async stopWaiting() {
      await Promise.all([...waiting.values()].map((one) => one.stop()));
    },
  };
}
