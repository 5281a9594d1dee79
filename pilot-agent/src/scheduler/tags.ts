type Places = Map<string, Map<number, number>>;

/** Where things with tags run, and where things run that want to be apart from tags. */
export class Tags {
  readonly #running: Places = new Map();
  readonly #repelled: Places = new Map();

  add(tags: readonly string[], apart: readonly string[], node: number): void {
    count(this.#running, tags, node, 1);
    count(this.#repelled, apart, node, 1);
  }

  remove(tags: readonly string[], apart: readonly string[], node: number): void {
    count(this.#running, tags, node, -1);
    count(this.#repelled, apart, node, -1);
  }

  /** Whether anything runs that wants to be apart from one of these tags. */
  repels(tags: readonly string[]): boolean {
    return this.#repelled.size > 0 && tags.some((tag) => this.#repelled.has(tag));
  }

  /** Whether tags forbid a node: of what runs there, or of what wants to run there. */
  forbid(tags: readonly string[], apart: readonly string[], node: number): boolean {
    return this.anyOn(apart, node) || tags.some((tag) => this.#repelled.get(tag)?.has(node) === true);
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

function count(places: Places, tags: readonly string[], node: number, change: 1 | -1): void {
  for (const tag of tags) {
    const nodes = places.get(tag) ?? new Map<number, number>();
    const amount = (nodes.get(node) ?? 0) + change;
    if (amount > 0) nodes.set(node, amount);
    else nodes.delete(node);
    if (nodes.size > 0) places.set(tag, nodes);
    else places.delete(tag);
  }
}
