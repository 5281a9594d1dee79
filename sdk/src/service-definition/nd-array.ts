/** Numbers that travel as they lie in memory. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/**
 * An array with more than one dimension, row by row: what NumPy has as `ndarray`. With one dimension it is a typed array.
 *
 * @example
 * ```ts
 * const image = new NdArray(new Float32Array(6), [2, 3]);
 * image.shape; // [2, 3]
 * ```
 */
export class NdArray<T extends TypedArray = TypedArray> {
  /** @throws RangeError where shape and number of elements do not fit */
  constructor(
    readonly data: T,
    readonly shape: readonly number[],
  ) {
    const size = shape.reduce((product, length) => product * length, 1);
    if (size !== data.length) throw new RangeError(`${data.length} elements do not fit the shape ${shape.join(' × ')}`);
  }
}
