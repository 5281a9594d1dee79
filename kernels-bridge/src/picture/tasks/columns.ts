/** Tasks of one chunk. A power of two, so that a slot is split by shifting. */
export const CHUNK_TASKS = 512;
const SHIFT = 9;
const MASK = CHUNK_TASKS - 1;

/** States of a task that have a time of their own besides NEW, in the order of their columns; the last is any final one. */
export const TIMES = 7;
/** Numbers of a `TaskUsage`. */
export const USAGES = 7;
/** Numbers of an `OutputRange`. */
export const OUTPUTS = 4;

const F64 = { seq: 1, created: 1, times: TIMES, output: OUTPUTS, usage: USAGES } as const;
const U32 = [
  'pilot',
  'group',
  'set',
  'number',
  'order',
  'offer',
  'arena',
  'start',
  'length',
  'file',
  'placed',
] as const;
const BYTES_PER_TASK = 8 * (1 + 1 + TIMES + OUTPUTS + USAGES) + 4 * (U32.length + 1) + 2 * 2 + 3;

/**
 * What is known of 512 tasks, a column for each thing, all in one block of memory: a task costs about 220 bytes instead of
 * the thousands of an object with objects in it, and the block as it is goes into the cache.
 */
export class Chunk {
  readonly bytes: ArrayBuffer;
  readonly seq: Float64Array;
  /** milliseconds since 1970, as all times here; 0: never */
  readonly created: Float64Array;
  readonly times: Float64Array;
  readonly output: Float64Array;
  readonly usage: Float64Array;
  readonly exitCode: Int32Array;
  readonly pilot: Uint32Array;
  readonly group: Uint32Array;
  /** Number of its set plus one; 0: none. */
  readonly set: Uint32Array;
  readonly number: Uint32Array;
  readonly order: Uint32Array;
  readonly offer: Uint32Array;
  readonly arena: Uint32Array;
  readonly start: Uint32Array;
  readonly length: Uint32Array;
  readonly file: Uint32Array;
  readonly placed: Uint32Array;
  readonly attempt: Uint16Array;
  readonly flags: Uint16Array;
  /** Number of the state plus one; 0: nobody's. */
  readonly state: Uint8Array;
  readonly signal: Uint8Array;

  /** @param bytes - of an earlier chunk, from the cache */
  constructor(bytes?: ArrayBuffer) {
    this.bytes = bytes ?? new ArrayBuffer(BYTES_PER_TASK * CHUNK_TASKS);
    if (this.bytes.byteLength !== BYTES_PER_TASK * CHUNK_TASKS) throw new RangeError('not a chunk of this layout');
    let offset = 0;
    const take = (bytesPerTask: number): number => {
      const at = offset;
      offset += bytesPerTask * CHUNK_TASKS;
      return at;
    };
    const f64 = (count: number): Float64Array => new Float64Array(this.bytes, take(8 * count), count * CHUNK_TASKS);
    const u32 = (): Uint32Array => new Uint32Array(this.bytes, take(4), CHUNK_TASKS);
    this.seq = f64(F64.seq);
    this.created = f64(F64.created);
    this.times = f64(F64.times);
    this.output = f64(F64.output);
    this.usage = f64(F64.usage);
    this.exitCode = new Int32Array(this.bytes, take(4), CHUNK_TASKS);
    this.pilot = u32();
    this.group = u32();
    this.set = u32();
    this.number = u32();
    this.order = u32();
    this.offer = u32();
    this.arena = u32();
    this.start = u32();
    this.length = u32();
    this.file = u32();
    this.placed = u32();
    this.attempt = new Uint16Array(this.bytes, take(2), CHUNK_TASKS);
    this.flags = new Uint16Array(this.bytes, take(2), CHUNK_TASKS);
    this.state = new Uint8Array(this.bytes, take(1), CHUNK_TASKS);
    this.signal = new Uint8Array(this.bytes, take(1), CHUNK_TASKS);
  }
}

/** Number of the chunk that a slot lies in. */
export function chunkOf(slot: number): number {
  return slot >>> SHIFT;
}

/** Place of a slot within its chunk. */
export function placeOf(slot: number): number {
  return slot & MASK;
}

/** Facts about a task that are there or not. */
export const FLAG = {
  /** It was asked for on this very pilot. */
  named: 1,
  /** It waits for other tasks. */
  after: 2,
  usage: 4,
  output: 8,
  exitCode: 16,
  /** Asked to cancel. */
  canceling: 32,
  /** Taken over from an earlier set. */
  resumed: 64,
} as const;
