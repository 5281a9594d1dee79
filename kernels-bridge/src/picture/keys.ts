import type { RecordKind } from '@pilothouse/sdk/internal';

/** What a submit with a key made. */
export interface Keyed {
  readonly kind: RecordKind;
  readonly id: string;
}

/** Idempotency keys and what they made, so that a repeated submit gives the same thing back, also after a restart. */
export class Keys {
  readonly #made = new Map<string, Keyed>();
  #fresh: [string, Keyed][] = [];

  get(key: string): Keyed | undefined {
    return this.#made.get(key);
  }

  set(key: string, made: Keyed): void {
    if (this.#made.has(key)) return;
    this.#made.set(key, made);
    this.#fresh.push([key, made]);
  }

  /** The keys set since the last call, for the cache. */
  takeNew(): [string, Keyed][] {
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh;
  }
}
