/** Things that wait, the higher priority first, in order of arrival within one. */
export class Line<T extends { readonly priority: number }> {
  readonly #levels = new Map<number, Set<T>>();
  #order: number[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(one: T): void {
    let level = this.#levels.get(one.priority);
    if (level === undefined) {
      level = new Set();
      this.#levels.set(one.priority, level);
      this.#order = [...this.#levels.keys()].sort((a, b) => b - a);
    }
    level.add(one);
    this.#size += 1;
  }

  /** @returns whether it was there */
  delete(one: T): boolean {
    const level = this.#levels.get(one.priority);
    if (!level?.delete(one)) return false;
    this.#size -= 1;
    if (level.size === 0) {
      this.#levels.delete(one.priority);
      this.#order = this.#order.filter((priority) => priority !== one.priority);
    }
    return true;
  }

  /** In the order in which they come to their turn; what is taken out meanwhile does no harm. */
  *[Symbol.iterator](): Generator<T> {
    for (const priority of this.#order) yield* this.#levels.get(priority) ?? [];
  }
}
