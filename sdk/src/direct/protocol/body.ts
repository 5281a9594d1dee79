import { PilothouseError } from '../../errors/index.js';
import { NdArray } from '../../service-definition/nd-array.js';
import { arrayOf, bytesOf, typeOf } from './elements.js';
import type { Binary } from './headers.js';
import { MAX_BINARIES, MAX_DEPTH, MAX_FRAME } from './limits.js';

/** A value as it travels. */
export interface EncodedBody {
  readonly json: string;
  readonly binaries: Binary[] | undefined;
  readonly frames: readonly Uint8Array[];
}

/** Stands in the JSON for the binary frame of that number. */
const PLACE = '$binary';

/**
 * A value as JSON, with its typed arrays as frames of their own.
 *
 * @param what - for error sentences: `the input of dose-response.fit`
 * @throws PilothouseError INVALID_DESCRIPTION with the place of the first thing that cannot travel
 */
export function encodeBody(value: unknown, what: string): EncodedBody {
  const encoder = new Encoder(what);
  const plain = encoder.encode(value, [], 0);
  const json = JSON.stringify(plain) ?? 'null';
  if (json.length > MAX_FRAME) throw tooLarge(what);
  return { json, binaries: encoder.binaries, frames: encoder.frames };
}

/**
 * The value of a body.
 *
 * @throws PilothouseError INVALID_FRAME
 */
export function decodeBody(
  body: string | undefined,
  binaries: readonly Binary[] | undefined,
  frames: readonly Uint8Array[],
): unknown {
  if (body === undefined) throw invalid('has no body');
  if (frames.length !== (binaries?.length ?? 0)) throw invalid('has another number of binary frames than it says');
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (cause) {
    throw invalid('has a body that is no JSON', cause);
  }
  if (binaries === undefined || binaries.length === 0) return value;
  const arrays = binaries.map((binary, index) => arrayFrom(binary, frames[index] ?? new Uint8Array()));
  return put(value, arrays, 0);
}

class Encoder {
  binaries: Binary[] | undefined;
  readonly frames: Uint8Array[] = [];
  readonly #what: string;

  constructor(what: string) {
    this.#what = what;
  }

  /** The value without its typed arrays: itself where it has none. */
  encode(value: unknown, path: readonly PropertyKey[], depth: number): unknown {
    switch (typeof value) {
      case 'string':
      case 'boolean':
      case 'undefined':
        return value;
      case 'number':
        if (!Number.isFinite(value)) throw this.#refuse(path, String(value), 'Send null, or a typed array.');
        return value;
      case 'object':
        return value === null ? null : this.#encodeObject(value, path, depth);
      default:
        throw this.#refuse(path, `a ${typeof value}`, 'Send data: text, numbers, lists, fields, typed arrays.');
    }
  }

  #encodeObject(value: object, path: readonly PropertyKey[], depth: number): unknown {
    if (depth > MAX_DEPTH) throw this.#refuse(path, 'something nested too deep', 'Send a flat copy.');
    if (ArrayBuffer.isView(value) || value instanceof NdArray) return this.#binary(value, path);
    if (Array.isArray(value)) return this.#encodeArray(value, path, depth);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      throw this.#refuse(path, `a ${value.constructor?.name || 'object'}`, 'Send its data.');
    }
    let copy: Record<string, unknown> | undefined;
    for (const key of Object.keys(value)) {
      const field: unknown = Reflect.get(value, key);
      if (key === PLACE) throw this.#refuse([...path, key], 'a field of that name', 'Give it another name.');
      const encoded = typeof field === 'string' ? field : this.encode(field, [...path, key], depth + 1);
      if (encoded === field) continue;
      copy ??= { ...value };
      copy[key] = encoded;
    }
    return copy ?? value;
  }

  #encodeArray(value: readonly unknown[], path: readonly PropertyKey[], depth: number): unknown {
    let copy: unknown[] | undefined;
    for (let index = 0; index < value.length; index += 1) {
      const item = value[index];
      // Long lists of numbers are common, and need no path of their own.
      if (Number.isFinite(item)) continue;
      const encoded = this.encode(item, [...path, index], depth + 1);
      if (encoded === item) continue;
      copy ??= [...value];
      copy[index] = encoded;
    }
    return copy ?? value;
  }

  #binary(value: ArrayBufferView | NdArray, path: readonly PropertyKey[]): unknown {
    const [view, shape] = value instanceof NdArray ? [value.data, value.shape] : [value, undefined];
    const type = typeOf(view);
    if (type === undefined) throw this.#refuse(path, `a ${view.constructor.name}`, 'Send a Float64Array or the like.');
    if (view.byteLength > MAX_FRAME) throw tooLarge(this.#what);
    if (this.frames.length >= MAX_BINARIES) throw tooLarge(this.#what);
    this.binaries ??= [];
    this.binaries.push({ type, shape: [...(shape ?? [view.byteLength / bytesOf(type)])] });
    this.frames.push(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    return { [PLACE]: this.frames.length - 1 };
  }

  #refuse(path: readonly PropertyKey[], what: string, hint: string): PilothouseError {
    const field = ['value', ...path].map(String).join('.');
    return new PilothouseError('INVALID_DESCRIPTION', `${what} cannot travel in ${this.#what}, at ${field}.`, {
      field,
      hint,
    });
  }
}

function put(value: unknown, arrays: readonly unknown[], depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) throw invalid('is nested too deep');
  if (Array.isArray(value)) return value.map((item) => put(item, arrays, depth + 1));
  const fields = Object.entries(value);
  const [first] = fields;
  if (first !== undefined && fields.length === 1 && first[0] === PLACE) {
    const index: unknown = first[1];
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= arrays.length) {
      throw invalid('names a binary frame that it has not');
    }
    return arrays[index];
  }
  return Object.fromEntries(fields.map(([key, field]) => [key, put(field, arrays, depth + 1)]));
}

function arrayFrom({ type, shape }: Binary, frame: Uint8Array): unknown {
  const size = shape.reduce((product, length) => product * length, 1) * bytesOf(type);
  if (size !== frame.byteLength) throw invalid('has a binary frame of another size than it says');
  const array = arrayOf(type, frame);
  return shape.length === 1 ? array : new NdArray(array, shape);
}

function invalid(what: string, cause?: unknown): PilothouseError {
  return new PilothouseError('INVALID_FRAME', `A message of the service protocol ${what}.`, {
    hint: 'Use the same version of Pilothouse on both ends.',
    cause,
  });
}

function tooLarge(what: string): PilothouseError {
  return new PilothouseError('INVALID_DESCRIPTION', `${what} is larger than a message takes (256 MiB).`, {
    hint: 'Write the data into a file and pass its path.',
  });
}
