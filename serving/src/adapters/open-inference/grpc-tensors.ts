import { type Tensor, tensorSchema } from '@pilothouse/sdk/shared';
import { z } from 'zod';
import { jsonNumber } from './tensors.js';

type Datatype = Tensor['datatype'];

/** The field of `InferTensorContents` that holds values of a type; FP16 has none and travels raw. */
const FIELDS = {
  BOOL: 'bool_contents',
  UINT8: 'uint_contents',
  UINT16: 'uint_contents',
  UINT32: 'uint_contents',
  UINT64: 'uint64_contents',
  INT8: 'int_contents',
  INT16: 'int_contents',
  INT32: 'int_contents',
  INT64: 'int64_contents',
  FP32: 'fp32_contents',
  FP64: 'fp64_contents',
  BYTES: 'bytes_contents',
} as const satisfies Partial<Record<Datatype, string>>;

const values = z.array(z.union([z.number(), z.boolean(), z.string(), z.instanceof(Uint8Array)]));
const outputSchema = z.object({
  name: z.string(),
  datatype: tensorSchema.shape.datatype,
  shape: z.array(z.union([z.string(), z.number()])).default([]),
  contents: z.record(z.string(), values).optional(),
});
/** An answer as protobufjs gives it, with 64-bit numbers as text. */
export const grpcResponseSchema = z.object({
  model_name: z.string().default(''),
  model_version: z.string().default(''),
  id: z.string().default(''),
  outputs: z.array(outputSchema).default([]),
  raw_output_contents: z.array(z.instanceof(Uint8Array)).default([]),
});
export type GrpcResponse = z.infer<typeof grpcResponseSchema>;

/** Whether all of these can be written into typed fields. */
export function hasFields(inputs: readonly Tensor[]): boolean {
  return inputs.every(({ datatype }) => datatype !== 'FP16');
}

/** A tensor as the protocol's message. */
export function toMessage({ name, shape, datatype, data }: Tensor): Record<string, unknown> {
  const field = datatype === 'FP16' ? 'fp32_contents' : FIELDS[datatype];
  const contents = data.map((value) => {
    if (datatype === 'BYTES') return Buffer.from(String(value));
    if (datatype === 'BOOL') return value === true || value === 1;
    return datatype.endsWith('64') && datatype !== 'FP64' ? String(value) : Number(value);
  });
  return { name, datatype, shape, contents: { [field]: contents } };
}

/** The tensors of an answer, from typed fields or from raw bytes, whichever the server sends. */
export function fromResponse({ outputs, raw_output_contents: raw }: GrpcResponse): Tensor[] {
  return outputs.map(({ name, datatype, shape, contents }, index) => {
    const bytes = raw[index];
    const typed = Object.values(contents ?? {}).find((list) => list.length > 0) ?? [];
    return {
      name,
      datatype,
      shape: shape.map(Number),
      data: bytes === undefined ? typed.map(plain) : fromRaw(datatype, bytes),
    };
  });
}

function plain(value: z.infer<typeof values>[number]): Tensor['data'][number] {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  // Numbers of 64 bits come as text: those that fit become numbers, the others keep all their digits.
  if (typeof value === 'string') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  return typeof value === 'number' ? jsonNumber(value) : value;
}

const WIDTH: Readonly<Record<Exclude<Datatype, 'BYTES'>, number>> = {
  BOOL: 1,
  UINT8: 1,
  INT8: 1,
  UINT16: 2,
  INT16: 2,
  FP16: 2,
  UINT32: 4,
  INT32: 4,
  FP32: 4,
  UINT64: 8,
  INT64: 8,
  FP64: 8,
};

function fromRaw(datatype: Datatype, bytes: Uint8Array): Tensor['data'] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (datatype === 'BYTES') return texts(view, bytes);
  const width = WIDTH[datatype];
  return Array.from({ length: Math.floor(bytes.byteLength / width) }, (_, index) =>
    plain(read(datatype, view, index * width)),
  );
}

/** Each with its length before it. */
function texts(view: DataView, bytes: Uint8Array): string[] {
  const found: string[] = [];
  for (let at = 0; at + 4 <= bytes.byteLength; ) {
    const length = view.getUint32(at, true);
    found.push(Buffer.from(bytes.subarray(at + 4, at + 4 + length)).toString('utf8'));
    at += 4 + length;
  }
  return found;
}

function read(datatype: Exclude<Datatype, 'BYTES'>, view: DataView, at: number): Tensor['data'][number] {
  switch (datatype) {
    case 'BOOL':
      return view.getUint8(at) !== 0;
    case 'UINT8':
      return view.getUint8(at);
    case 'INT8':
      return view.getInt8(at);
    case 'UINT16':
      return view.getUint16(at, true);
    case 'INT16':
      return view.getInt16(at, true);
    case 'FP16':
      return half(view.getUint16(at, true));
    case 'UINT32':
      return view.getUint32(at, true);
    case 'INT32':
      return view.getInt32(at, true);
    case 'FP32':
      return view.getFloat32(at, true);
    case 'FP64':
      return view.getFloat64(at, true);
    case 'UINT64':
      return String(view.getBigUint64(at, true));
    case 'INT64':
      return String(view.getBigInt64(at, true));
  }
}

/** A number of 16 bits as IEEE 754 has it. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
