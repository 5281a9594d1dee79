import type { Tensor } from '@pilothouse/sdk/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromResponse, grpcResponseSchema, toMessage } from '../src/adapters/open-inference/grpc-tensors.js';
import { InferRequestType, InferResponseType } from '../src/adapters/open-inference/proto.js';

const OBJECT = { longs: String, arrays: true } as const;

/** What a server that gives back what it got would answer. */
function there(inputs: readonly Tensor[]): Tensor[] {
  const request = InferRequestType.encode(InferRequestType.fromObject({ inputs: inputs.map(toMessage) })).finish();
  const { inputs: sent } = InferRequestType.toObject(InferRequestType.decode(request), OBJECT);
  const response = InferResponseType.encode(InferResponseType.fromObject({ outputs: sent })).finish();
  return fromResponse(grpcResponseSchema.parse(InferResponseType.toObject(InferResponseType.decode(response), OBJECT)));
}

/** The same with the values as bytes, which is how Triton answers. */
function raw(datatype: Tensor['datatype'], bytes: Uint8Array, length: number): Tensor | undefined {
  const outputs = [{ name: 'y', datatype, shape: [length] }];
  return fromResponse(grpcResponseSchema.parse({ outputs, raw_output_contents: [bytes] }))[0];
}

const values: Readonly<Record<Exclude<Tensor['datatype'], 'FP16'>, fc.Arbitrary<Tensor['data'][number]>>> = {
  BOOL: fc.boolean(),
  UINT8: fc.nat(255),
  UINT16: fc.nat(65_535),
  UINT32: fc.nat(4_294_967_295),
  UINT64: fc.nat(Number.MAX_SAFE_INTEGER),
  INT8: fc.integer({ min: -128, max: 127 }),
  INT16: fc.integer({ min: -32_768, max: 32_767 }),
  INT32: fc.integer(),
  INT64: fc.maxSafeInteger(),
  FP32: fc.float({ noNaN: true, noDefaultInfinity: true }),
  FP64: fc.double({ noNaN: true, noDefaultInfinity: true }),
  BYTES: fc.string({ unit: 'grapheme' }),
};

describe('tensors over gRPC', () => {
  it.each(Object.entries(values))('%s come back as they were sent', (name, arbitrary) => {
    const datatype = name as Tensor['datatype'];
    fc.assert(
      fc.property(fc.array(arbitrary), (data) => {
        const tensor = { name: 'x', shape: [data.length], datatype, data };
        expect(there([tensor])).toEqual([tensor]);
      }),
    );
  });

  it('numbers beyond what a number holds keep their digits', () => {
    const data = ['9223372036854775807', '-9223372036854775808'];
    expect(there([{ name: 'x', shape: [2], datatype: 'INT64', data }])[0]?.data).toEqual(data);
  });

  it('raw bytes are read by their type, halves and texts among them', () => {
    const bytes = (values: ArrayBufferView) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    expect(raw('FP32', bytes(Float32Array.of(1.5, Number.NaN)), 2)?.data).toEqual([1.5, 'NaN']);
    expect(raw('INT64', bytes(BigInt64Array.of(-3n, 2n ** 62n)), 2)?.data).toEqual([-3, '4611686018427387904']);
    expect(raw('UINT8', Uint8Array.of(0, 255), 2)?.data).toEqual([0, 255]);
    expect(raw('BOOL', Uint8Array.of(0, 1), 2)?.data).toEqual([false, true]);
    const halves = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00, 0xfbff);
    expect(raw('FP16', bytes(halves), 5)?.data).toEqual([1, -2, 2 ** -24, 'Infinity', -65_504]);
    const text = Buffer.from('東京');
    const texts = Buffer.concat([Buffer.from([text.length, 0, 0, 0]), text, Buffer.from([0, 0, 0, 0])]);
    expect(raw('BYTES', texts, 2)?.data).toEqual(['東京', '']);
  });
});
