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
    if (known.texts === 0 && arena !== this.#open) this.#arenas.delete(arena);
  }

  /** Every arena with what it holds, for the cache. */
  *arenas(): Generator<{ readonly id: number; readonly bytes: Buffer; readonly texts: number }, void, void> {
    for (const [id, { bytes, used, texts }] of this.#arenas) yield { id, bytes: bytes.subarray(0, used), texts };
  }

  /** Brings an arena back as it was. Texts added later go into arenas of their own. */
  restore(id: number, bytes: Buffer, texts: number): void {
    this.#arenas.set(id, { bytes, used: bytes.length, texts });
    this.#next = Math.max(this.#next, id + 1);
    this.#open = this.#next;
  }
}
