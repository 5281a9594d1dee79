/** The last so many numbers. */
export class Ring {
  readonly #values: number[] = [];
  #next = 0;

  constructor(readonly limit: number) {}

  push(value: number): void {
    if (this.#values.length < this.limit) this.#values.push(value);
    else this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % this.limit;
  }

  get length(): number {
    return this.#values.length;
  }

  /** Oldest first. */
  list(): number[] {
    if (this.#values.length < this.limit) return [...this.#values];
    return [...this.#values.slice(this.#next), ...this.#values.slice(0, this.#next)];
  }
}
