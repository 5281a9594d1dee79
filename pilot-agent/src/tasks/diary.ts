/** How long a state is kept back: one that lasts less is told along with the next. */
const KEEP_MS = 50;

/** Something that has entered a state and not yet told it. */
export interface Teller {
  tell(): void;
}

/**
 * Puts states together that follow each other within a moment, so that a task that takes a few milliseconds costs one
 * record in the journal and not five. Nothing is lost with what is kept back: the warden and the workers know what runs.
 */
export class Diary {
  #tellers = new Set<Teller>();
  #timer: NodeJS.Timeout | undefined;

  later(teller: Teller): void {
    this.#tellers.add(teller);
    this.#timer ??= setTimeout(() => this.flush(), KEEP_MS);
  }

  forget(teller: Teller): void {
    this.#tellers.delete(teller);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const tellers = this.#tellers;
    this.#tellers = new Set();
    for (const teller of tellers) teller.tell();
  }
}
