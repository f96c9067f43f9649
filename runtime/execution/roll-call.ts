/**
 * Who runs a topology: every worker says again and again in the log that it lives and what it holds, and reads what the others
 * say. Ages are differences of times that the broker stamped, or of our own clock; clocks of two machines are never compared.
 */
import type { Log, LogMessage, LogStream, StreamSpec } from '../bus/log.ts';
import type { Clock, Timer } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { limits } from '../limits.ts';
import { hasEnded } from '../process-space.ts';
import type { Logger } from '../stream/definition.ts';
import type { TopologyNames } from '../topology/names.ts';

/** What a worker says of itself. */
export interface WorkerTick {
  readonly worker: string;
  /** Workers that were started together by one `mach run`, and end together, say the same. */
  readonly run: string;
  readonly held: readonly number[];
  /** Where it runs, for people. */
  readonly host: string;
  readonly processId: number;
  /** Of which system `processId` is (see `process-space.ts`); absent where that cannot be told. */
  readonly processSpace?: string;
  /** It is going: do not wait until it has been silent. */
  readonly leaving?: true;
}

export interface RollCall {
  /** Those that live, ourselves included; undefined while we do not hear even ourselves. */
  present(): readonly WorkerTick[] | undefined;
  /** Each of them has said so since we came: none is a dead one whose last word is still in the log. */
  readonly isCertain: boolean;
  /** Says now what `describe` gives. */
  say(): void;
  /** Says good-bye and stops. */
  leave(): Promise<void>;
}

const streamSpec = (names: TopologyNames): StreamSpec => ({
  name: names.workerStream,
  subjects: names.workerSubjects,
  durability: 'broker',
  description: 'signs of life of the workers',
  latestOnly: true,
  ageMaxMs: limits.leaseTickAgeMs,
});

export async function startRollCall(args: {
  log: Log;
  names: TopologyNames;
  clock: Clock;
  logger: Logger;
  describe(): WorkerTick;
  /** Somebody came, went, or holds something else. */
  onChange(): void;
  /** A worker died without a good-bye: the broker has lost its connection, and its silence or the system says that it is no break. */
  onDeath(tick: WorkerTick): void;
}): Promise<RollCall> {
  const { log, names, clock, describe } = args;
  const { worker } = describe();
  const subject = names.workerSubject(worker);
  const stop = new AbortController();
  const heard = new Map<string, { tick: WorkerTick; at: number; text: string; isLive: boolean }>();
  /** What the log held before our first word: how old it was then is known once we hear ourselves. */
  let early: LogMessage[] | undefined = [];
  let stream: LogStream = await log.stream(streamSpec(names));
  const looking = new Set<string>();
  let saying = false;
  let timer: Timer | undefined;

  function note(message: LogMessage, { at, isLive }: { at: number; isLive: boolean }): void {
    const text = Buffer.from(message.payload).toString();
    const tick = JSON.parse(text) as WorkerTick;
    const before = heard.get(tick.worker);
    if (tick.leaving) heard.delete(tick.worker);
    else heard.set(tick.worker, { tick, at, text, isLive });
    if (before?.text !== text || before.isLive !== isLive) args.onChange();
  }

  function hear(message: LogMessage): void {
    if (!early) return note(message, { at: clock.now(), isLive: true });
    if (message.subject !== subject) {
      early.push(message);
      return;
    }
    const waiting = early;
    early = undefined;
    // We count as present once all are known that were there before us.
    for (const one of waiting) {
      note(one, { at: clock.now() - Math.max(0, message.storedAt - one.storedAt), isLive: false });
    }
    note(message, { at: clock.now(), isLive: true });
    // One that died just before we came, as after a crash and a start, is not waited for.
    lookForSilent();
  }

  async function listen(): Promise<void> {
    let next = 1;
    while (!stop.signal.aborted) {
      try {
        for await (const message of stream.read({ fromSequence: next, signal: stop.signal })) {
          next = message.sequence + 1;
          hear(message);
        }
      } catch (error) {
        if (stop.signal.aborted) return;
        // Its storage was wiped, or the broker was away for long: who lives says so again in a moment.
        args.logger.warn({ error: messageOf(error) }, 'the signs of life of the workers cannot be read; trying again');
        await clock.sleep(limits.workerTickEveryMs, stop.signal).catch(() => undefined);
        if (stop.signal.aborted) return;
        next = 1;
        stream = await log.stream(streamSpec(names)).catch(() => stream);
      }
    }
  }

  async function listenForAsking(): Promise<void> {
    // Nobody says anything here. That somebody listens is what says that the process lives.
    for await (const _ of log.subscribe(names.workerLifeSubject(worker), stop.signal));
  }

  /** Its process ran beside ours and is gone. */
  const isGone = ({ processId, processSpace }: WorkerTick): boolean =>
    processSpace !== undefined && processSpace === describe().processSpace && hasEnded(processId);

  const isInDoubt = ({ tick, at }: { tick: WorkerTick; at: number }): boolean =>
    at < clock.now() - limits.workerDoubtMs || isGone(tick);

  /**
   * Silence alone may be a process that is busy; one whose connection is gone is dead, and need not be waited for. It may also have lost its connection for a moment: so the
   * broker is asked again, unless the system knows that the process has ended.
   */
  async function lookFor(name: string): Promise<void> {
    looking.add(name);
    try {
      for (let time = 0; time < 2; time++) {
        if (time > 0) await clock.sleep(limits.subscriberAskMs, stop.signal);
        if (await log.hasSubscriber(names.workerLifeSubject(name))) return;
        const silent = heard.get(name);
        if (silent && isGone(silent.tick)) break;
      }
      const found = heard.get(name);
      if (!found || !isInDoubt(found)) return;
      heard.delete(name);
      args.logger.warn({ worker: name, held: found.tick.held }, 'worker died');
      args.onDeath(found.tick);
      args.onChange();
    } catch {
      // The log does not answer, or we are leaving: its silence will tell.
    } finally {
      looking.delete(name);
    }
  }

  function lookForSilent(): void {
    const own = heard.get(worker);
    // Who hears not even itself does not look for others.
    if (!own || own.at < clock.now() - limits.workerDoubtMs) return;
    for (const [name, found] of heard) {
      if (name !== worker && isInDoubt(found) && !looking.has(name)) void lookFor(name);
    }
  }

  function say(): void {
    // One word at a time: what waits behind a broker that is away would be old when it comes.
    if (saying || stop.signal.aborted) return;
    saying = true;
    void stream
      .append(subject, Buffer.from(JSON.stringify(describe())))
      .catch(() => undefined)
      .finally(() => {
        saying = false;
      });
  }

  function sayAgain(): void {
    if (stop.signal.aborted) return;
    say();
    timer = clock.after(limits.workerTickEveryMs, () => {
      args.onChange();
      lookForSilent();
      sayAgain();
    });
  }

  sayAgain();
  void listenForAsking().catch(() => undefined);
  const listening = listen();

  return {
    say,
    present() {
      const oldest = clock.now() - limits.workerSilentMs;
      for (const [name, { at }] of heard) if (at < oldest) heard.delete(name);
      if (!heard.has(worker)) return undefined;
      return [...heard.values()].map(({ tick }) => (tick.worker === worker ? describe() : tick));
    },
    get isCertain() {
      return [...heard.values()].every(({ isLive }) => isLive);
    },
    async leave() {
      if (stop.signal.aborted) return;
      timer?.cancel();
      stop.abort(new Error('leaving'));
      const bye: WorkerTick = { ...describe(), held: [], leaving: true };
      // Without an answer the others notice by the silence.
      const said = stream.append(subject, Buffer.from(JSON.stringify(bye))).catch(() => undefined);
      const done = new AbortController();
      const waited = clock.sleep(limits.closeDeadlineMs, done.signal).catch(() => undefined);
      await Promise.race([said, waited]);
      done.abort();
      await listening;
    },
  };
}
