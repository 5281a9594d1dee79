/** Which rows are chosen, and where the cursor is; by slot, so that both stay with their rows wherever those stand. */
export class RowSelection {
  readonly #chosen = new Set<number>();
  #anchor: number | null = null;
  #cursor: number | null = null;

  /** The row that the keys act on. */
  get cursor(): number | null {
    return this.#cursor;
  }

  get size(): number {
    return this.#chosen.size;
  }

  get slots(): Iterable<number> {
    return this.#chosen;
  }

  has(slot: number): boolean {
    return this.#chosen.has(slot);
  }

  /** Chooses one row and nothing else. */
  only(slot: number): void {
    this.#chosen.clear();
    this.#chosen.add(slot);
    this.#anchor = slot;
    this.#cursor = slot;
  }

  /** Chooses one more, or one less. */
  toggle(slot: number): void {
    if (!this.#chosen.delete(slot)) this.#chosen.add(slot);
    this.#anchor = slot;
    this.#cursor = slot;
  }

  /** From the row chosen last to this one, in the order given. */
  extend(slot: number, placeOf: (slot: number) => number, slotAt: (place: number) => number | null): void {
    const from = this.#anchor === null ? -1 : placeOf(this.#anchor);
    const to = placeOf(slot);
    if (from < 0 || to < 0) {
      this.only(slot);
      return;
    }
    this.#chosen.clear();
    for (let place = Math.min(from, to); place <= Math.max(from, to); place += 1) {
      const at = slotAt(place);
      if (at !== null) this.#chosen.add(at);
    }
    this.#cursor = slot;
  }

  /** Chooses exactly these; the cursor stays. */
  all(slots: Iterable<number>): void {
    this.#chosen.clear();
    for (const slot of slots) this.#chosen.add(slot);
  }

  /** Chooses nothing; the cursor stays. */
  none(): void {
    this.#chosen.clear();
  }

  /** A row is gone. */
  forget(slot: number): void {
    this.#chosen.delete(slot);
    if (this.#cursor === slot) this.#cursor = null;
    if (this.#anchor === slot) this.#anchor = null;
  }

  /** Slots mean something else now. */
  reset(): void {
    this.#chosen.clear();
    this.#anchor = null;
    this.#cursor = null;
  }
}
