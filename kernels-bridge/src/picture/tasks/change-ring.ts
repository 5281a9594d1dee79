/** Changes that are remembered one by one. */
const REMEMBERED = 1 << 16;
const MASK = REMEMBERED - 1;
/** Removals that are remembered one by one. */
const REMOVALS = 1000;

/**
 * Which slots have changed, in order, for whoever follows tasks: each follower keeps its own place in it, so a change costs
 * one write however many follow. Who falls too far behind looks at everything instead.
 */
export class ChangeRing {
  readonly #slots = new Uint32Array(REMEMBERED);
  readonly #removals: { readonly at: number; readonly id: string }[] = [];
  readonly #followers = new Set<() => void>();
  #position = 0;
  #floor = 0;

  /** Changes so far. */
  get position(): number {
    return this.#position;
  }

  push(slot: number): void {
    this.#slots[this.#position & MASK] = slot;
    this.#position += 1;
    for (const follower of this.#followers) follower();
  }

  /** A single task has gone. */
  removed(id: string): void {
    this.#position += 1;
    this.#slots[(this.#position - 1) & MASK] = NOBODY;
    this.#removals.push({ at: this.#position, id });
    if (this.#removals.length > REMOVALS) this.#floor = this.#removals.shift()?.at ?? this.#floor;
    for (const follower of this.#followers) follower();
  }

  /** Much has gone at once: every follower starts anew. */
  reset(): void {
    this.#position += 1;
    this.#slots[(this.#position - 1) & MASK] = NOBODY;
    this.#floor = this.#position;
    for (const follower of this.#followers) follower();
  }

  /** What has changed after a position, each slot once; null: too much to tell one by one. */
  after(position: number): { readonly slots: Set<number>; readonly removed: string[] } | null {
    if (position < this.#floor || this.#position - position > REMEMBERED) return null;
    const slots = new Set<number>();
    for (let at = position; at < this.#position; at += 1) {
      const slot = this.#slots[at & MASK];
      if (slot !== undefined && slot !== NOBODY) slots.add(slot);
    }
    return { slots, removed: this.#removals.filter(({ at }) => at > position).map(({ id }) => id) };
  }

  /** Calls back at every change, at once; returns the way to stop. */
  follow(follower: () => void): () => void {
    this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  }
}

const NOBODY = 0xffff_ffff;
