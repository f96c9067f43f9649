/**
 * Writes bed files as hospitals do: half of them write beside and rename, the other half write in place, slowly, so that
 * who reads too early reads half a file.
 */
import { mkdir, open, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { simulatorLimits } from '../../limits.ts';

export class BedWriter {
  readonly #folder: string;
  readonly #pending = new Set<Promise<void>>();
  #failure: unknown = null;
  #count = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async send(name: string, text: string): Promise<void> {
    if (this.#failure) throw this.#failure;
    await mkdir(this.#folder, { recursive: true });
    const slow = this.#count++ % 2 === 1;
    const writing = (slow ? this.#writeSlowly(name, text) : this.#writeAndRename(name, text))
      .catch((error: unknown) => {
        this.#failure = error;
      })
      .finally(() => this.#pending.delete(writing));
    this.#pending.add(writing);
  }

  async flush(): Promise<void> {
    await Promise.all(this.#pending);
    if (this.#failure) throw this.#failure;
  }

  async #writeAndRename(name: string, text: string): Promise<void> {
    const part = join(this.#folder, `.${name}.part`);
    await writeFile(part, text);
    await rename(part, join(this.#folder, name));
  }

  async #writeSlowly(name: string, text: string): Promise<void> {
    const file = await open(join(this.#folder, name), 'w');
    try {
      const middle = text.length >> 1;
      await file.write(text.slice(0, middle));
      await new Promise((resolve) => setTimeout(resolve, simulatorLimits.slowWriteMs));
      await file.write(text.slice(middle));
    } finally {
      await file.close();
    }
  }
}
