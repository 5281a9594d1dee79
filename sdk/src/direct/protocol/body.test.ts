import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NdArray } from '../../service-definition/nd-array.js';
import { decodeBody, encodeBody } from './body.js';
import { clientHeaderSchema, firstFrame, parseClientFrame, parseServerFrame, serverHeaderSchema } from './headers.js';

const array = fc.oneof(
  fc.float64Array({ maxLength: 6 }),
  fc.float32Array({ maxLength: 6 }),
  fc.int32Array({ maxLength: 6 }),
  fc.uint8Array({ maxLength: 6 }),
  fc.bigInt64Array({ maxLength: 6 }),
  fc.float64Array({ minLength: 6, maxLength: 6 }).map((data) => new NdArray(data, [2, 3])),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
    array,
    fc.array(tie('value'), { maxLength: 4 }),
    // JSON.parse makes `__proto__` a field of its own; that is not what is looked at here.
    fc.dictionary(
      fc.string().filter((key) => key !== '__proto__' && key !== '$binary'),
      tie('value'),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
}));

/** As frames arrive: at any offset of a larger buffer. */
const arrived = (frame: Uint8Array) => new Uint8Array([0, ...new Uint8Array(frame)]).subarray(1);

describe('bodies', () => {
  it('come out as they went in', () => {
    fc.assert(
      fc.property(value, (given) => {
        const { json, binaries, frames } = encodeBody(given, 'the value');
        expect(decodeBody(json, binaries, frames.map(arrived))).toEqual(given);
      }),
    );
  });

  it('are refused where they are garbage, and nothing else happens', () => {
    const binary = fc.record({ type: fc.constantFrom('f8' as const, 'u1' as const), shape: fc.array(fc.nat(5)) });
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.json()),
        fc.option(fc.array(binary, { maxLength: 2 }), { nil: undefined }),
        fc.array(fc.uint8Array({ maxLength: 16 }), { maxLength: 2 }),
        (body, binaries, frames) => {
          try {
            decodeBody(body, binaries, frames);
          } catch (error) {
            expect(error).toMatchObject({ code: 'INVALID_FRAME' });
          }
        },
      ),
    );
  });

  it.each([
    ['a date', new Date(0), 'value'],
    ['a function', { f: () => 1 }, 'value.f'],
    ['infinity', [1, Number.POSITIVE_INFINITY], 'value.1'],
    ['the reserved field', { $binary: 0 }, 'value.$binary'],
    ['a DataView', new DataView(new ArrayBuffer(1)), 'value'],
  ])('refuse %s', (_name, given, field) => {
    expect(() => encodeBody(given, 'the value')).toThrow(
      expect.objectContaining({ code: 'INVALID_DESCRIPTION', field }),
    );
  });
});

const number = fc.oneof(fc.nat(), fc.integer(), fc.double(), fc.constant(null));
const almost = fc.record(
  {
    t: fc.constantFrom('call', 'reply'),
    id: number,
    method: fc.oneof(fc.string(), fc.nat()),
    credits: number,
    outstanding: number,
    queued: number,
    waited: number,
    ran: number,
    more: fc.anything(),
  },
  { requiredKeys: ['t', 'id'] },
);

describe('first frames', () => {
  it('are undefined where they are garbage', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(`${text}\n1`)),
        ),
        (frame) => {
          expect(parseClientFrame(frame)).toBeUndefined();
          expect(parseServerFrame(frame)).toBeUndefined();
        },
      ),
    );
  });

  it('say the same to the short way and to the schema', () => {
    fc.assert(
      fc.property(almost, fc.option(fc.json(), { nil: undefined }), (header, body) => {
        const plain: unknown = JSON.parse(firstFrame(JSON.parse(jsonOf(header))));
        const frame = Buffer.from(firstFrame(JSON.parse(jsonOf(header)), body));
        for (const [parse, schema] of [
          [parseClientFrame, clientHeaderSchema],
          [parseServerFrame, serverHeaderSchema],
        ] as const) {
          const { data } = schema.safeParse(plain);
          expect(parse(frame)).toEqual(data && { header: data, body });
        }
      }),
    );
  });
});

function jsonOf(value: unknown): string {
  return JSON.stringify(value, (_key, one) => (typeof one === 'bigint' ? String(one) : one));
}
