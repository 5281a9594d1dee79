const KEPT = 8 * 1024;
const FINISHED = /\[DONE\]|"finish_reason"\s*:\s*"/;

/** The end of a stream of events, to tell a complete answer from one whose server went away quietly. */
export class Tail {
  readonly #parts: Buffer[] = [];
  #size = 0;

  push(part: Buffer): void {
    this.#parts.push(part);
    this.#size += part.length;
    for (;;) {
      const [first] = this.#parts;
      if (first === undefined || this.#size - first.length < KEPT) return;
      this.#parts.shift();
      this.#size -= first.length;
    }
  }

  /** Whether the server said that the answer ends here: `[DONE]`, or a reason for which it finished. */
  get finished(): boolean {
    return FINISHED.test(Buffer.concat(this.#parts).toString('latin1'));
  }
}
