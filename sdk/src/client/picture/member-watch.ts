import type { WatchBatch } from '../../contract/index.js';
import type { Connector } from '../connection/connector.js';
import { pause } from '../deadline.js';
import { onAbort } from '../on-abort.js';
import { creditStream } from '../streams/credit-stream.js';
import { isFinal } from './final.js';
import type { PictureStore } from './picture-store.js';

/** After the bridge refused to show them, for a reason that a new connection does not cure. */
const AGAIN_MS = 5_000;

/**
 * Keeps those tasks of sets up to date that somebody holds a handle of: the picture has the sets alone, for their tasks
 * may be 100,000. One stream for all, opened again when another joins.
 */
export class MemberWatch {
  readonly #connector: Connector;
  readonly #store: PictureStore;
  readonly #closed: AbortSignal;
  /** How many handles look at each. */
  readonly #looks = new Map<string, number>();
  #stop: AbortController | null = null;
  #due = false;

  constructor(connector: Connector, store: PictureStore, closed: AbortSignal) {
    this.#connector = connector;
    this.#store = store;
    this.#closed = closed;
  }

  /** Follows a task until it has ended, or until the function that comes back is called. */
  follow(id: string): () => void {
    const looks = this.#looks.get(id) ?? 0;
    this.#looks.set(id, looks + 1);
    if (looks === 0) this.#restart();
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const rest = (this.#looks.get(id) ?? 0) - 1;
      if (rest > 0) this.#looks.set(id, rest);
      else this.#forget(id);
    };
  }

  #forget(id: string): void {
    this.#looks.delete(id);
    if (this.#looks.size > 0) return;
    this.#stop?.abort();
    this.#stop = null;
  }

  /** Soon: handles are often made many at once. */
  #restart(): void {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      this.#stop?.abort();
      if (this.#looks.size === 0 || this.#closed.aborted) return;
      const stop = new AbortController();
      this.#stop = stop;
      void this.#watch([...this.#looks.keys()], stop);
    });
  }

  /** Never rejects. */
  async #watch(ids: readonly string[], stop: AbortController): Promise<void> {
    const leave = onAbort(this.#closed, () => stop.abort());
    const { signal } = stop;
    while (!signal.aborted) {
      try {
        const batches = creditStream<WatchBatch>(
          this.#connector,
          (api, flow, abort) => api.system.watch({ ...flow, kinds: ['task'], ids: [...ids] }, { signal: abort }),
          { signal, finished: () => false },
        );
        for await (const batch of batches) this.#take(batch);
      } catch {
        // What is wrong with the connection its own state says; here only the next try matters.
        if (!signal.aborted) await pause(AGAIN_MS, signal);
      }
    }
    leave();
  }

  #take({ tasks, removed }: WatchBatch): void {
    this.#store.members.apply(tasks);
    for (const task of tasks) if (isFinal(task)) this.#forget(task.id);
    for (const id of removed) this.#forget(id);
  }
}
