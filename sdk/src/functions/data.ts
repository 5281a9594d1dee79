import { PilothouseError } from '../errors/index.js';
import { formatBytes } from '../units/size.js';

/** What JSON carries unchanged. */
export type Data = string | number | boolean | null | Data[] | { [field: string]: Data };

/** Arguments as they travel. */
export interface EncodedArguments {
  readonly json: Data[];
  /** Roughly the characters that they take. */
  readonly size: number;
}

/** Bytes of one call's arguments; messages have at most 8 MiB. */
const LARGEST = 4 * 1024 * 1024;
/** Deeper is a circle, or nothing that a call should carry. */
const DEEPEST = 200;

/**
 * Makes sure that arguments are data which JSON carries unchanged: otherwise they would arrive as something else without
 * anybody noticing.
 *
 * @throws PilothouseError FUNCTION_NOT_SENDABLE with the place of the first thing that is no data; INVALID_DESCRIPTION for
 *   more than a message takes
 */
export function encodeArguments(args: unknown[], name: string): EncodedArguments {
  const check: DataCheck = new DataCheck(name);
  check.assertAll(args);
  return { json: args, size: check.size };
}

class DataCheck {
  size = 0;
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  assertAll(args: unknown[]): asserts args is Data[] {
    for (let index = 0; index < args.length; index += 1) this.#check(args[index], [index]);
    if (this.size <= LARGEST) return;
    const [size, limit] = [formatBytes(this.size), formatBytes(LARGEST)];
    throw new PilothouseError(
      'INVALID_DESCRIPTION',
      `The arguments of ${this.#name} have about ${size}; a call takes at most ${limit}.`,
      { field: 'input', hint: 'Write the data into a file and pass its path.' },
    );
  }

  #check(value: unknown, path: PropertyKey[]): void {
    switch (typeof value) {
      case 'string':
        this.size += value.length + 3;
        return;
      case 'boolean':
        this.size += 6;
        return;
      case 'number':
        this.size += 12;
        if (!Number.isFinite(value)) this.#refuse(path, String(value), 'Send null or text in its place.');
        return;
      case 'object':
        this.size += 5;
        if (value !== null) this.#checkObject(value, path);
        return;
      default: {
        const what = value === undefined ? 'undefined' : `a ${typeof value}`;
        this.#refuse(path, what, 'Send data: text, numbers, lists and fields.');
      }
    }
  }

  #checkObject(value: object, path: PropertyKey[]): void {
    if (path.length > DEEPEST)
      this.#refuse(path, 'something nested too deep, perhaps in a circle,', 'Send a flat copy.');
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index += 1) {
        const item: unknown = value[index];
        // Long lists of numbers are common, and need no path of their own.
        if (Number.isFinite(item)) this.size += 12;
        else this.#check(item, [...path, index]);
      }
      return;
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      const kind = value.constructor?.name || 'object';
      const hint = ArrayBuffer.isView(value)
        ? 'Send Array.from(it).'
        : `Send its data; a ${kind} cannot travel as JSON.`;
      this.#refuse(path, `a ${kind}`, hint);
    }
    for (const key of Object.keys(value)) {
      const field: unknown = Reflect.get(value, key);
      this.size += key.length + 3;
      // JSON leaves such a field out, and so does whoever reads it.
      if (field !== undefined) this.#check(field, [...path, key]);
    }
  }

  #refuse(path: readonly PropertyKey[], what: string, hint: string): never {
    const field = `input.${path.map(String).join('.')}`;
    throw new PilothouseError('FUNCTION_NOT_SENDABLE', `${this.#name}, ${field}: ${what} cannot be sent to a worker.`, {
      field,
      hint,
    });
  }
}
