import type { IStateDB } from '@jupyterlab/statedb';
import type { ReadonlyPartialJSONValue } from '@lumino/coreutils';

const PREFIX = '@pilothouse/jupyterlab:memory:';

/** Small values that outlive a reload, kept in JupyterLab's state database (or, without one, for this page only). */
export class Memory {
  private readonly values = new Map<string, ReadonlyPartialJSONValue>();

  constructor(private readonly db: IStateDB | null) {}

  /** The value kept under `key`; undefined when there is none. */
  async read(key: string): Promise<ReadonlyPartialJSONValue | undefined> {
    const known = this.values.get(key);
    if (known !== undefined || this.db === null) return known;
    const stored = await this.db.fetch(PREFIX + key);
    if (stored !== undefined) this.values.set(key, stored);
    return stored;
  }

  /** Keeps a value. A state database that cannot save must not break the page, so that is only logged. */
  write(key: string, value: ReadonlyPartialJSONValue): void {
    this.values.set(key, value);
    this.db?.save(PREFIX + key, value).catch((error: unknown) => {
      console.warn(`Pilothouse could not remember "${key}".`, error);
    });
  }
}
