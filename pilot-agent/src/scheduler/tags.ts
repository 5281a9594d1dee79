/** Where things with tags run. */
export class Tags {
  readonly #running = new Map<string, Map<number, number>>();

  add(tags: readonly string[], node: number): void {
    for (const tag of tags) {
      const nodes = this.#running.get(tag) ?? new Map<number, number>();
      nodes.set(node, (nodes.get(node) ?? 0) + 1);
      this.#running.set(tag, nodes);
    }
  }

  remove(tags: readonly string[], node: number): void {
    for (const tag of tags) {
      const nodes = this.#running.get(tag);
      if (nodes === undefined) continue;
      const left = (nodes.get(node) ?? 1) - 1;
      if (left > 0) nodes.set(node, left);
      else nodes.delete(node);
      if (nodes.size === 0) this.#running.delete(tag);
    }
  }

  runs(tag: string): boolean {
    return this.#running.has(tag);
  }

  /** Whether something with one of these tags runs there. */
  anyOn(tags: readonly string[], node: number): boolean {
    return tags.some((tag) => this.#running.get(tag)?.has(node) === true);
  }

  /** On how many nodes something with this tag runs. */
  spread(tag: string): number {
    return this.#running.get(tag)?.size ?? 0;
  }

  /** Nodes where something with one of these tags runs. */
  *nodesOf(tags: readonly string[]): Generator<number> {
    for (const tag of tags) yield* this.#running.get(tag)?.keys() ?? [];
  }
}
