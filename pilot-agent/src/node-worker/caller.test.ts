import { INLINE_PAYLOAD_BYTES } from '@pilothouse/sdk/shared';
import { expect, it } from 'vitest';
import { INLINE_BYTES } from './caller.js';

it('keeps the same payloads in records as everybody else', () => {
  expect(INLINE_BYTES).toBe(INLINE_PAYLOAD_BYTES);
});
