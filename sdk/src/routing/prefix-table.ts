import { hashText, mix } from './hash.js';

/** Characters of one block: about as much as model servers keep together in their caches (16 tokens). */
const BLOCK = 64;
/** Blocks of one prompt that are looked at; longer beginnings than 8 Ki characters say nothing new. */
const DEPTH = 128;

/**
 * Remembers which instance has seen the beginnings of prompts, by hashed blocks: an entry stands for a whole beginning up
 * to the end of a block. What was not used for longest is forgotten first.
 */
export class PrefixTable {
  readonly #holders = new Map<number, string>();

  /** @param limit - beginnings that are remembered, about 100 bytes each */
  constructor(readonly limit = 65_536) {}

  get size(): number {
    return this.#holders.size;
  }

  /** The instance that has seen the longest beginning of a prompt; undefined: none has seen its first block. */
  holder(prompt: string): string | undefined {
    let found: string | undefined;
    for (const key of blocks(prompt)) {
      const holder = this.#holders.get(key);
      if (holder === undefined) break;
      found = holder;
    }
    return found;
  }

  /** An instance has been given this prompt. */
  seen(prompt: string, id: string): void {
    for (const key of blocks(prompt)) {
      this.#holders.delete(key);
      this.#holders.set(key, id);
    }
    for (const key of this.#holders.keys()) {
      if (this.#holders.size <= this.limit) break;
      this.#holders.delete(key);
    }
  }

  /** An instance is gone, and its cache with it. */
  forget(id: string): void {
    for (const [key, holder] of this.#holders) if (holder === id) this.#holders.delete(key);
  }
}

/** One key per beginning; 53 bits from two hashes, so that two prompts meet by chance practically never. */
function* blocks(prompt: string): Generator<number> {
  let low: number | undefined;
  let high = 0x9e3779b9;
  const count = Math.min(DEPTH, Math.floor(prompt.length / BLOCK));
  for (let block = 0; block < count; block += 1) {
    const from = block * BLOCK;
    low = hashText(prompt, low, from, from + BLOCK);
    high = mix(hashText(prompt, high, from, from + BLOCK));
    yield (high & 0x1fffff) * 0x1_0000_0000 + low;
  }
}
