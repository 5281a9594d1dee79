/** More than anything has. */
const HUGE = 0x7fffffff;

/**
 * Finds the best of those who fit into what is free, without looking at all of them: a complete binary tree whose inner
 * places hold the best rank and the least that anything below needs. Ranks: lower goes first.
 */
export class LineTree {
  #leaves = 64;
  #cores = new Int32Array(2 * this.#leaves).fill(HUGE);
  #gpu = new Int32Array(2 * this.#leaves).fill(HUGE);
  #memory = new Float64Array(2 * this.#leaves).fill(Number.POSITIVE_INFINITY);
  #rank = new Float64Array(2 * this.#leaves).fill(Number.POSITIVE_INFINITY);
  readonly #free: number[] = [];
  #used = 0;
  #stack = new Int32Array(128);

  /** The best rank of all; Infinity: there is nobody. */
  get bestRank(): number {
    return this.#rank[1] ?? Number.POSITIVE_INFINITY;
  }

  rankAt(place: number): number {
    return this.#rank[this.#leaves + place] ?? Number.POSITIVE_INFINITY;
  }

  /** Puts somebody in; gives the place. */
  add(cores: number, gpu: number, memory: number, rank: number): number {
    const place = this.#free.pop() ?? this.#used;
    if (place === this.#used) this.#used += 1;
    if (place >= this.#leaves) this.#grow();
    const at = this.#leaves + place;
    this.#cores[at] = cores;
    this.#gpu[at] = gpu;
    this.#memory[at] = memory;
    this.#rank[at] = rank;
    this.#climb(at);
    return place;
  }

  setRank(place: number, rank: number): void {
    const at = this.#leaves + place;
    this.#rank[at] = rank;
    this.#climb(at);
  }

  remove(place: number): void {
    const at = this.#leaves + place;
    this.#cores[at] = HUGE;
    this.#gpu[at] = HUGE;
    this.#memory[at] = Number.POSITIVE_INFINITY;
    this.#rank[at] = Number.POSITIVE_INFINITY;
    this.#climb(at);
    this.#free.push(place);
  }

  /** Place of the best who needs no more than this and whom `accept` takes; -1: there is none. */
  best(cores: number, gpu: number, memory: number, accept?: (place: number) => boolean): number {
    let best = Number.POSITIVE_INFINITY;
    let found = -1;
    let depth = 1;
    this.#stack[0] = 1;
    while (depth > 0) {
      depth -= 1;
      const at = this.#stack[depth] ?? 0;
      if ((this.#rank[at] ?? 0) >= best || !this.#mayFit(at, cores, gpu, memory)) continue;
      if (at >= this.#leaves) {
        if (accept !== undefined && !accept(at - this.#leaves)) continue;
        best = this.#rank[at] ?? 0;
        found = at - this.#leaves;
      } else {
        const left = at * 2;
        // The better side is looked at first: the other one then often need not be looked at.
        const first = (this.#rank[left] ?? 0) <= (this.#rank[left + 1] ?? 0) ? left : left + 1;
        this.#stack[depth] = first ^ 1;
        this.#stack[depth + 1] = first;
        depth += 2;
      }
    }
    return found;
  }

  #mayFit(at: number, cores: number, gpu: number, memory: number): boolean {
    return (this.#cores[at] ?? 0) <= cores && (this.#gpu[at] ?? 0) <= gpu && (this.#memory[at] ?? 0) <= memory;
  }

  #climb(from: number): void {
    for (let at = from >> 1; at > 0; at >>= 1) {
      if (!this.#sum(at)) return;
    }
  }

  /** Tells whether anything has changed. */
  #sum(at: number): boolean {
    const left = at * 2;
    const cores = Math.min(this.#cores[left] ?? 0, this.#cores[left + 1] ?? 0);
    const gpu = Math.min(this.#gpu[left] ?? 0, this.#gpu[left + 1] ?? 0);
    const memory = Math.min(this.#memory[left] ?? 0, this.#memory[left + 1] ?? 0);
    const rank = Math.min(this.#rank[left] ?? 0, this.#rank[left + 1] ?? 0);
    if (cores === this.#cores[at] && gpu === this.#gpu[at] && memory === this.#memory[at] && rank === this.#rank[at])
      return false;
    this.#cores[at] = cores;
    this.#gpu[at] = gpu;
    this.#memory[at] = memory;
    this.#rank[at] = rank;
    return true;
  }

  #grow(): void {
    const old = this.#leaves;
    this.#leaves *= 2;
    const moved = <T extends Int32Array | Float64Array>(into: T, from: T): T => {
      into.set(from.subarray(old), this.#leaves);
      return into;
    };
    const size = 2 * this.#leaves;
    this.#cores = moved(new Int32Array(size).fill(HUGE), this.#cores);
    this.#gpu = moved(new Int32Array(size).fill(HUGE), this.#gpu);
    this.#memory = moved(new Float64Array(size).fill(Number.POSITIVE_INFINITY), this.#memory);
    this.#rank = moved(new Float64Array(size).fill(Number.POSITIVE_INFINITY), this.#rank);
    for (let at = this.#leaves - 1; at > 0; at -= 1) this.#sum(at);
  }
}
