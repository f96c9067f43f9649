/**
 * What stands between a simulated process and the world. While the process is paused nothing that it asks for goes out, and
 * nothing that it waits for comes back: as for a process under SIGSTOP. When it is dead nothing ever does again.
 */

export interface Gate {
  readonly paused: boolean;
  readonly dead: boolean;
  pause(): void;
  resume(): void;
  kill(): void;
  /** Resolves in the order of the calls when the process runs; never when it is dead. */
  pass(): Promise<void>;
  /** The work, with the gate before and after it. */
  through<T>(work: () => Promise<T>): Promise<T>;
}

export function openGate(): Gate {
  let paused = false;
  let dead = false;
  let waiting: (() => void)[] = [];

  function pass(): Promise<void> {
    if (dead) return new Promise(() => undefined);
    if (!paused) return Promise.resolve();
    return new Promise((resolve) => waiting.push(resolve));
  }

  return {
    get paused() {
      return paused;
    },
    get dead() {
      return dead;
    },
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      const due = waiting;
      waiting = [];
      if (!dead) for (const resolve of due) resolve();
    },
    kill() {
      dead = true;
      waiting = [];
    },
    pass,
    async through(work) {
      await pass();
      try {
        return await work();
      } finally {
        await pass();
      }
    },
  };
}
