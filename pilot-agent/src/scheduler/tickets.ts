import type { Applicant } from './demand.js';

/** Where a ticket is that stands in no line. */
export const IN_NO_LINE = -1;

/**
 * Everybody who waits, by number: a hundred thousand of them are columns of numbers and not as many objects. The numbers of
 * those who are gone are used again.
 */
export class Tickets {
  /** In order of arrival. */
  seq = new Float64Array(64);
  /** The next and the one before in the same line; -1: none. */
  next = new Int32Array(64);
  prev = new Int32Array(64);
  /** Number of the line; {@link IN_NO_LINE} for one who waits for the pilot's time. */
  line = new Int32Array(64);
  /** Number of what was last told. */
  told = new Uint8Array(64);
  readonly #applicants: (Applicant | undefined)[] = [];
  #hash = new Int32Array(64);
  /** Open addressing: ticket + 1 by hash of the id; 0: nobody. */
  #slots = new Int32Array(128);
  #free = -1;
  #used = 0;
  #count = 0;
  #arrived = 0;

  get count(): number {
    return this.#count;
  }

  applicant(ticket: number): Applicant {
    const found = this.#applicants[ticket];
    if (found === undefined) throw new RangeError(`nobody has the ticket ${ticket}`);
    return found;
  }

  add(applicant: Applicant): number {
    let ticket = this.#free;
    if (ticket >= 0) {
      this.#free = this.next[ticket] ?? -1;
    } else {
      ticket = this.#used;
      this.#used += 1;
      if (ticket >= this.seq.length) this.#grow();
    }
    this.#count += 1;
    if (this.#count * 2 > this.#slots.length) this.#rehash();
    this.#applicants[ticket] = applicant;
    this.seq[ticket] = this.#arrived;
    this.#arrived += 1;
    this.next[ticket] = -1;
    this.prev[ticket] = -1;
    this.line[ticket] = IN_NO_LINE;
    this.told[ticket] = 0;
    this.#hash[ticket] = hashOf(applicant.id);
    this.#slots[this.#emptySlot(this.#hash[ticket] ?? 0)] = ticket + 1;
    return ticket;
  }

  /** -1: nobody of that id waits. */
  find(id: string): number {
    const mask = this.#slots.length - 1;
    const hash = hashOf(id);
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const ticket = (this.#slots[slot] ?? 0) - 1;
      if (ticket < 0) return -1;
      if (this.#hash[ticket] === hash && this.#applicants[ticket]?.id === id) return ticket;
    }
  }

  remove(ticket: number): void {
    this.#emptyOut(ticket);
    this.#applicants[ticket] = undefined;
    this.next[ticket] = this.#free;
    this.#free = ticket;
    this.#count -= 1;
  }

  *all(): Generator<number> {
    for (let ticket = 0; ticket < this.#used; ticket += 1) if (this.#applicants[ticket]) yield ticket;
  }

  #emptySlot(hash: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    return slot;
  }

  /** Takes a ticket out of the hash and moves up those behind it, so that none is hidden by the gap. */
  #emptyOut(ticket: number): void {
    const mask = this.#slots.length - 1;
    let gap = (this.#hash[ticket] ?? 0) & mask;
    while (this.#slots[gap] !== ticket + 1) gap = (gap + 1) & mask;
    for (let slot = (gap + 1) & mask; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const other = this.#slots[slot] ?? 0;
      const home = (this.#hash[other - 1] ?? 0) & mask;
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      this.#slots[gap] = other;
      gap = slot;
    }
    this.#slots[gap] = 0;
  }

  #rehash(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2);
    for (const one of old) if (one !== 0) this.#slots[this.#emptySlot(this.#hash[one - 1] ?? 0)] = one;
  }

  #grow(): void {
    const size = this.seq.length * 2;
    const seq = new Float64Array(size);
    seq.set(this.seq);
    this.seq = seq;
    this.next = larger(this.next, size);
    this.prev = larger(this.prev, size);
    this.line = larger(this.line, size);
    this.#hash = larger(this.#hash, size);
    const told = new Uint8Array(size);
    told.set(this.told);
    this.told = told;
  }
}

function larger(from: Int32Array, size: number): Int32Array<ArrayBuffer> {
  const into = new Int32Array(size);
  into.set(from);
  return into;
}

/** FNV-1a, mixed at the end: ids of a set differ in their last characters only. */
function hashOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < id.length; index += 1) hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) | 0;
}
