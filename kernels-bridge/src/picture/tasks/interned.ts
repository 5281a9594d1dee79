/** Values that many tasks share, each kept once and known by a number from 1 on; 0 stands for none. */
export class Interned<T> {
  readonly #values: (T | undefined)[] = [undefined];
  readonly #numbers = new Map<string, number>();

  /** @param keyOf - what makes two values the same */
  constructor(private readonly keyOf: (value: T) => string) {}

  get size(): number {
    return this.#values.length - 1;
  }

  number(value: T): number {
    const key = this.keyOf(value);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#values.push(value);
    this.#numbers.set(key, this.#values.length - 1);
    return this.#values.length - 1;
  }

  /** The number of a value that is there already. */
  find(key: string): number | undefined {
    return this.#numbers.get(key);
  }

  get(number: number): T | undefined {
    return this.#values[number];
  }

  /** Brings the values back as they were numbered. */
  restore(values: readonly T[]): void {
    this.#values.splice(1);
    this.#numbers.clear();
    for (const value of values) this.number(value);
  }

  values(): readonly T[] {
    return this.#values.slice(1).filter((value): value is T => value !== undefined);
  }
}

/** Stands in a row where the number is not known. */
export const NOTHING = 0xffff_ffff;

/** Numbers in a row, four bytes each. */
export class NumberList {
  #items = new Uint32Array(16);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get(index: number): number | undefined {
    return index < this.#length ? this.#items[index] : undefined;
  }

  push(item: number): void {
    if (this.#length === this.#items.length) {
      const grown = new Uint32Array(this.#length * 2);
      grown.set(this.#items);
      this.#items = grown;
    }
    this.#items[this.#length] = item;
    this.#length += 1;
  }

  /** @returns a copy of what lies between two places */
  slice(start: number, end = this.#length): Uint32Array {
    return this.#items.slice(start, Math.min(end, this.#length));
  }

  set(index: number, item: number): void {
    while (this.#length <= index) this.push(NOTHING);
    this.#items[index] = item;
  }

  replace(items: Iterable<number>): void {
    this.#length = 0;
    for (const item of items) this.push(item);
  }

  *[Symbol.iterator](): Generator<number, void, void> {
    for (let index = 0; index < this.#length; index += 1) yield this.#items[index] ?? 0;
  }
}
