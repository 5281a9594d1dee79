/** A bell for one waiter: a ring while nobody waits is kept, so nothing between a look and a wait is missed. */
export class Wakeup {
  #rung = false;
  #resolve: (() => void) | undefined;

  wake(): void {
    this.#rung = true;
    this.#resolve?.();
  }

  /** Resolves at the next ring, or at once after one that nobody heard; rejects with the signal's reason. */
  wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#rung) {
      this.#rung = false;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        signal.removeEventListener('abort', abort);
        this.#resolve = undefined;
        this.#rung = false;
        resolve();
      };
      const abort = (): void => {
        this.#resolve = undefined;
        reject(signal.reason);
      };
      this.#resolve = settle;
      signal.addEventListener('abort', abort, { once: true });
    });
  }
}
