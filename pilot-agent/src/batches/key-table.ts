import { createHash } from 'node:crypto';

/** No line of the input has it (yet). */
const NO_LINE = 0xffffffff;
/** Numbers per entry: three of the key's hash, the line, the print of the input. */
const WIDTH = 5;
const FIRST_CAPACITY = 1024;

/** What the first 32 bits of a SHA-256 say of a text, as 8 hexadecimal digits: whether an input has changed. */
export function printOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/**
 * The keys of a batch, millions of them: a hash table of numbers, 21 bytes a place, because as many strings would fill an
 * agent's memory. Two keys with one 96-bit hash do not happen.
 */
export class KeyTable {
  #numbers = new Uint32Array(FIRST_CAPACITY * WIDTH);
  #flags = new Uint8Array(FIRST_CAPACITY);
  #capacity = FIRST_CAPACITY;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Takes a key of the output; false: it is there already. */
  addDone(key: string, print: string | undefined): boolean {
    const slot = this.#slot(key);
    if (this.#is(slot, DONE)) return false;
    this.#flags[slot] = USED | DONE | (print === undefined ? 0 : PRINTED);
    if (print !== undefined) this.#numbers[slot * WIDTH + 4] = Number.parseInt(print, 16);
    return true;
  }

  /** Whether a row of this key stands in the output. */
  isDone(key: string): boolean {
    return this.#is(this.#slot(key), DONE);
  }

  /**
   * Takes a key of the input.
   *
   * @returns the number of the line that had it before; undefined: none had
   */
  addLine(key: string, line: number): number | undefined {
    const slot = this.#slot(key);
    const at = slot * WIDTH + 3;
    const before = this.#numbers[at];
    if (before !== undefined && before !== NO_LINE) return before;
    this.#numbers[at] = line;
    return undefined;
  }

  /** Whether the row that stands in the output came from another input than this. */
  isChanged(key: string, print: () => string): boolean {
    const slot = this.#slot(key);
    if (!this.#is(slot, DONE) || !this.#is(slot, PRINTED)) return false;
    return this.#numbers[slot * WIDTH + 4] !== Number.parseInt(print(), 16);
  }

  #is(slot: number, flag: number): boolean {
    return ((this.#flags[slot] ?? 0) & flag) !== 0;
  }

  /** Where a key stands, which is made where it does not yet. */
  #slot(key: string): number {
    if (this.#size * 2 >= this.#capacity) this.#grow();
    const hash = createHash('sha1').update(key).digest();
    const words = [hash.readUInt32LE(0), hash.readUInt32LE(4), hash.readUInt32LE(8)] as const;
    const slot = this.#find(words);
    if (!this.#is(slot, USED)) {
      this.#numbers.set([...words, NO_LINE, 0], slot * WIDTH);
      this.#flags[slot] = USED;
      this.#size += 1;
    }
    return slot;
  }

  #find([a, b, c]: readonly [number, number, number]): number {
    let slot = a % this.#capacity;
    while (this.#is(slot, USED)) {
      const at = slot * WIDTH;
      if (this.#numbers[at] === a && this.#numbers[at + 1] === b && this.#numbers[at + 2] === c) return slot;
      slot = (slot + 1) % this.#capacity;
    }
    return slot;
  }

  #grow(): void {
    const numbers = this.#numbers;
    const flags = this.#flags;
    this.#capacity *= 2;
    this.#numbers = new Uint32Array(this.#capacity * WIDTH);
    this.#flags = new Uint8Array(this.#capacity);
    for (const [old, flag] of flags.entries()) {
      if ((flag & USED) === 0) continue;
      const entry = numbers.subarray(old * WIDTH, (old + 1) * WIDTH);
      const slot = this.#find([entry[0] ?? 0, entry[1] ?? 0, entry[2] ?? 0]);
      this.#numbers.set(entry, slot * WIDTH);
      this.#flags[slot] = flag;
    }
  }
}

const USED = 1;
const DONE = 2;
const PRINTED = 4;
