/** One partition and this worker: tries for its lease while it is wanted, opens it when it is held, closes it when it is not. */
import type { Lease, Log } from '../bus/log.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Logger } from '../stream/definition.ts';
import { isFenced, isStateRefusal } from './fenced.ts';

export interface HoldingArguments {
  readonly log: Log;
  /** Group of the leases: the topology. */
  readonly group: string;
  readonly partition: number;
  readonly worker: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Opens the partition's unit: restores its state, starts its stages, sinks and sources. */
  gain(partition: number): Promise<void>;
  /** Closes it. `drain`: handle and write what is under way, take a checkpoint; else at once, somebody else has it already. */
  lose(partition: number, how: { readonly drain: boolean }): Promise<void>;
  /** Whether another worker may have had its hand on the partition until now: then what fails is tried again, for as long as it is wanted. */
  isContested(): boolean;
  onChange(): void;
  onFailure(error: unknown): void;
}

export class Holding {
  readonly partition: number;
  readonly #args: HoldingArguments;
  #wanted = false;
  #lease: Lease | undefined;
  /** Counts losses: a lease that came back was perhaps another's in between. */
  #losses = 0;
  #openSince: number | undefined;
  #working: Promise<void> | undefined;
  #again = false;
  #pausedUntil = 0;
  /** Openings that have failed, one after the other. */
  #failures = 0;
  #problem: string | null = null;
  #evicting = false;
  #failed = false;

  constructor(args: HoldingArguments) {
    this.#args = args;
    this.partition = args.partition;
  }

  /** The lease is ours, or its unit is still open here. */
  get held(): boolean {
    return this.#openSince !== undefined || this.#lease?.held === true;
  }

  /** Its unit is open: it works. */
  get isOpen(): boolean {
    return this.#openSince !== undefined;
  }

  /** Why it does not open, or null. */
  get problem(): string | null {
    return this.#problem && `${this.#problem} (tried ${this.#failures} times)`;
  }

  get wanted(): boolean {
    return this.#wanted;
  }

  set wanted(wanted: boolean) {
    if (this.#wanted === wanted) return;
    this.#wanted = wanted;
    this.#poke();
  }

  /** Closes it for a reason of its own (another owner has written) and tries again a little later. */
  drop(reason: string): void {
    const { logger, partition } = this.#args;
    logger.warn({ partition, reason }, 'partition dropped; it will be tried again');
    this.#pause(limits.ownershipRetryDelayMs);
  }

  #pause(delayMs: number): void {
    const { clock } = this.#args;
    this.#losses++;
    this.#pausedUntil = clock.now() + delayMs;
    clock.after(delayMs, () => {
      this.#pausedUntil = 0;
      this.#poke();
    });
    this.#poke();
  }

  /** Its holder is known to be dead: its lease need not run out first. */
  evict(): void {
    this.#evicting = true;
    this.#poke();
  }

  /** Gives it up and waits until that is done. */
  async leave(): Promise<void> {
    this.wanted = false;
    await this.#working;
  }

  #poke(): void {
    if (this.#failed) return;
    this.#again = true;
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
      // Between the last look at it and here somebody may have asked again.
      if (this.#again) this.#poke();
      this.#args.onChange();
    });
  }

  async #work(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false;
        await this.#step();
        this.#args.onChange();
      }
    } catch (error) {
      this.#failed = true;
      this.#again = false;
      // A lease that outlived its unit would keep the others out.
      await this.#letGo().catch(() => undefined);
      this.#args.onFailure(error);
    }
  }

  async #step(): Promise<void> {
    const { partition, clock } = this.#args;
    const paused = clock.now() < this.#pausedUntil;
    if (this.#openSince !== undefined) {
      const stale = this.#openSince !== this.#losses || this.#lease?.held !== true;
      if (stale) await this.#close({ drain: false });
      else if (!this.#wanted) await this.#close({ drain: true });
    }
    if (!this.#wanted || paused) return this.#letGo();
    this.#lease ??= await this.#tryForLease();
    if (this.#evicting && !this.#lease.held) await this.#lease.evict();
    this.#evicting = false;
    if (!this.#lease.held || this.#openSince !== undefined) return;
    const losses = this.#losses;
    try {
      await this.#args.gain(partition);
    } catch (error) {
      if (isFenced(error)) this.drop(messageOf(error));
      else if (isStateRefusal(error) || !this.#args.isContested()) throw error;
      else this.#tryLater(error);
      return this.#letGo();
    }
    this.#failures = 0;
    this.#problem = null;
    this.#openSince = losses;
    this.#again = true;
    this.#args.logger.info({ partition, worker: this.#args.worker }, 'partition taken');
  }

  /** The one before may not have ended, or something is wrong here alone: the other partitions of this worker go on meanwhile. */
  #tryLater(error: unknown): void {
    const { logger, partition, onChange } = this.#args;
    this.#failures++;
    this.#problem = messageOf(error);
    const longest = limits.ownershipRetryDelayMaxMs;
    const retryMs = Math.min(limits.ownershipRetryDelayMs * 2 ** (this.#failures - 1), longest);
    const said = { partition, attempts: this.#failures, retryMs, error: this.#problem };
    logger.error(said, 'the partition does not open; it is tried again');
    this.#pause(retryMs);
    onChange();
  }

  #tryForLease(): Promise<Lease> {
    const { log, group, partition, worker } = this.#args;
    return log.lease({
      group,
      name: String(partition),
      member: worker,
      onHeld: () => this.#poke(),
      onLost: (reason) => {
        this.#losses++;
        this.#args.logger.warn({ partition, worker, reason }, 'lease lost');
        this.#poke();
      },
    });
  }

  async #close(how: { drain: boolean }): Promise<void> {
    const { partition, logger, worker } = this.#args;
    try {
      await this.#args.lose(partition, how);
    } catch (error) {
      // What is left undone is in the log: whoever has it next does it.
      logger.warn({ partition, error: messageOf(error) }, 'partition closed before all was done');
    }
    this.#openSince = undefined;
    logger.info({ partition, worker, drained: how.drain }, 'partition given up');
  }

  async #letGo(): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    await lease?.release();
  }
}
