/** Bytes of one arena; a longer text gets one of its own. */
const ARENA_BYTES = 256 * 1024;

/** Where a text lies. */
export interface TextPlace {
  readonly arena: number;
  readonly start: number;
  readonly length: number;
}

interface Arena {
  bytes: Buffer;
  used: number;
  /** Texts in it that are still wanted. */
  texts: number;
}

/**
 * Texts packed into large blocks: a hundred thousand strings would each cost a header, and the collector would walk them
 * all. What a text was cut from is not kept alive by it.
 */
export class Texts {
  readonly #arenas = new Map<number, Arena>();
  /** Arenas that have changed, or gone, since the cache was written. */
  readonly dirty = new Set<number>();
  #open = 0;
  #next = 0;

  add(text: string): TextPlace {
    const length = Buffer.byteLength(text);
    let arena = this.#arenas.get(this.#open);
    if (arena === undefined || arena.used + length > arena.bytes.length) {
      this.#open = this.#next;
      this.#next += 1;
      arena = { bytes: Buffer.allocUnsafeSlow(Math.max(ARENA_BYTES, length)), used: 0, texts: 0 };
      this.#arenas.set(this.#open, arena);
    }
    const start = arena.used;
    arena.bytes.write(text, start, 'utf8');
    arena.used += length;
    arena.texts += 1;
    this.dirty.add(this.#open);
    return { arena: this.#open, start, length };
  }

  get(arena: number, start: number, length: number): string {
    return this.#arenas.get(arena)?.bytes.toString('utf8', start, start + length) ?? '';
  }

  /** One text of this arena is wanted no more; with the last its memory goes. */
  drop(arena: number): void {
    const known = this.#arenas.get(arena);
    if (known === undefined) return;
    known.texts -= 1;
    this.dirty.add(arena);
    if (known.texts === 0 && arena !== this.#open) this.#arenas.delete(arena);
  }

  /** What an arena holds, for the cache; undefined: it has gone. */
  arena(id: number): { readonly id: number; readonly bytes: Buffer; readonly texts: number } | undefined {
    const arena = this.#arenas.get(id);
    return arena && { id, bytes: arena.bytes.subarray(0, arena.used), texts: arena.texts };
  }

  clear(): void {
    for (const id of this.#arenas.keys()) this.dirty.add(id);
    this.#arenas.clear();
  }

  /** Brings an arena back as it was. Texts added later go into arenas of their own. */
  restore(id: number, bytes: Buffer, texts: number): void {
    this.#arenas.set(id, { bytes, used: bytes.length, texts });
    this.#next = Math.max(this.#next, id + 1);
    this.#open = this.#next;
  }
}
