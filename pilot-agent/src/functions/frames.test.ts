import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameReader, frame } from './frames.js';

describe('frames', () => {
  it('are put together again from pieces of any size', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.array(fc.integer({ min: 1, max: 40 })), (messages, sizes) => {
        const bytes = Buffer.concat(messages.map((message) => frame(JSON.stringify(message))));
        const reader = new FrameReader();
        const found: unknown[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 7;
          found.push(...reader.read(bytes.subarray(at, at + size)));
          at += size;
        }
        expect(JSON.stringify(found)).toBe(JSON.stringify(messages));
      }),
    );
  });

  it('of an unlikely length are none', () => {
    expect(() => new FrameReader().read(Buffer.alloc(8, 0xff))).toThrow(RangeError);
  });
});
