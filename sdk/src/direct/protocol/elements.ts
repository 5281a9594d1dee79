import type { TypedArray } from '../../service-definition/nd-array.js';
import type { ElementType } from './headers.js';

const BYTES: Readonly<Record<ElementType, number>> = {
  f4: 4,
  f8: 8,
  i1: 1,
  i2: 2,
  i4: 4,
  i8: 8,
  u1: 1,
  u2: 2,
  u4: 4,
  u8: 8,
  b1: 1,
  bytes: 1,
};

/** Bytes of one element. */
export function bytesOf(type: ElementType): number {
  return BYTES[type];
}

/** The kind of a view's elements; undefined for one that the protocol has not. A Buffer is `bytes`. */
export function typeOf(view: ArrayBufferView): ElementType | undefined {
  if (view instanceof Float64Array) return 'f8';
  if (view instanceof Float32Array) return 'f4';
  if (Buffer.isBuffer(view)) return 'bytes';
  if (view instanceof Uint8Array || view instanceof Uint8ClampedArray) return 'u1';
  if (view instanceof Int32Array) return 'i4';
  if (view instanceof Uint32Array) return 'u4';
  if (view instanceof BigInt64Array) return 'i8';
  if (view instanceof BigUint64Array) return 'u8';
  if (view instanceof Int16Array) return 'i2';
  if (view instanceof Uint16Array) return 'u2';
  if (view instanceof Int8Array) return 'i1';
  return undefined;
}

/** The elements in a frame. A copy: frames begin at any byte, arrays only at multiples of their elements. */
export function arrayOf(type: ElementType, frame: Uint8Array): TypedArray {
  const copy = new Uint8Array(frame).buffer;
  switch (type) {
    case 'f4':
      return new Float32Array(copy);
    case 'f8':
      return new Float64Array(copy);
    case 'i1':
      return new Int8Array(copy);
    case 'i2':
      return new Int16Array(copy);
    case 'i4':
      return new Int32Array(copy);
    case 'i8':
      return new BigInt64Array(copy);
    case 'u2':
      return new Uint16Array(copy);
    case 'u4':
      return new Uint32Array(copy);
    case 'u8':
      return new BigUint64Array(copy);
    case 'bytes':
      return Buffer.from(copy);
    default:
      return new Uint8Array(copy);
  }
}
