import { type BatchProgress, type BatchSpec, batchStates, PilothouseError } from '@pilothouse/sdk/shared';
import { Batch } from './batch.js';
import type { BatchContext } from './batch-context.js';

/** All batches of a pilot. */
export class Batches {
  readonly #context: BatchContext;
  readonly #batches = new Map<string, Batch>();
  readonly #canceled = new Set<string>();
  readonly #listeners: (() => void)[] = [];
  #begun = false;
  #ended: { state: 'CANCELED' | 'FAILED'; error: PilothouseError } | undefined;

  constructor(context: BatchContext) {
    this.#context = context;
  }

  /** Calls back whenever a batch changes. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** How many have not ended. */
  get live(): number {
    let count = 0;
    for (const { over } of this.#batches.values()) if (!over) count += 1;
    return count;
  }

  /** How far those are that have not ended. */
  get progress(): Record<string, BatchProgress> {
    const found: Record<string, BatchProgress> = {};
    for (const { spec, over, progress } of this.#batches.values()) if (!over) found[spec.id] = progress;
    return found;
  }

  /** Takes a batch from the spool, once; one that has ended in an earlier agent's time is left alone. */
  submit(spec: BatchSpec): void {
    const past = this.#context.past.batches.get(spec.id);
    if (this.#batches.has(spec.id) || (past !== undefined && batchStates.isFinal(past.state))) return;
    const batch = new Batch(this.#context, spec, () => this.#changed());
    this.#batches.set(spec.id, batch);
    if (this.#begun) this.#start(batch);
    this.#changed();
  }

  /** Everything that was there at the start has been read: nothing begins that was canceled since. */
  begin(): void {
    this.#begun = true;
    for (const batch of this.#batches.values()) this.#start(batch);
  }

  cancel(id: string): void {
    this.#canceled.add(id);
    if (this.#begun) void this.#batches.get(id)?.end('CANCELED', canceled(id));
  }

  /** Ends all, and those that still come; resolves when what came is on the disk. */
  async endAll(why: string): Promise<void> {
    const error = new PilothouseError('PILOT_ENDED', `the pilot ended: ${why}`, {
      hint: 'Start the batch again on another pilot: it does only what is missing.',
      ids: { pilot: this.#context.pilot.id },
    });
    await this.#endAll('CANCELED', error);
  }

  /** The pilot's time is over. */
  async timeOver(): Promise<void> {
    const error = new PilothouseError('WALLTIME_OVER', 'the time of the pilot was over before all rows were done', {
      hint: 'Start the batch again on another pilot: it does only what is missing.',
      ids: { pilot: this.#context.pilot.id },
    });
    await this.#endAll('FAILED', error);
  }

  /** Resolves when none is left. */
  empty(): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.live === 0) resolve();
      };
      this.onChange(look);
      look();
    });
  }

  async #endAll(state: 'CANCELED' | 'FAILED', error: PilothouseError): Promise<void> {
    this.#ended = { state, error };
    await Promise.all([...this.#batches.values()].map((batch) => (batch.over ? undefined : batch.end(state, error))));
  }

  #start(batch: Batch): void {
    // Told before it begins: nothing is read or written for one that is over already.
    if (this.#canceled.has(batch.spec.id)) void batch.end('CANCELED', canceled(batch.spec.id));
    else if (this.#ended) void batch.end(this.#ended.state, this.#ended.error);
    batch.begin();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

function canceled(id: string): PilothouseError {
  return new PilothouseError('BATCH_CANCELED', 'it was canceled', {
    hint: 'Start it again to do what is missing.',
    ids: { batch: id },
  });
}
