import { describe, expect, it } from 'vitest';
import { delayBefore, retryAfter } from './retries.js';

const tries = { used: 0, lost: 0, memory: null };

describe('retries', () => {
  it('of what was lost use none up, but are not endless', () => {
    expect(retryAfter(1, { kind: 'lost' }, { ...tries, used: 1 }, null)).toMatchObject({ used: 1, lost: 1, delay: 0 });
    expect(retryAfter(1, { kind: 'lost' }, { ...tries, lost: 10 }, null)).toBeUndefined();
    expect(retryAfter(0, { kind: 'lost' }, tries, null)).toBeUndefined();
  });

  it('wait longer each time, up to a limit', () => {
    expect([1, 2, 3, 20].map((retry) => delayBefore(20, retry))).toEqual([1, 2, 4, 300]);
    const backOff = { first: '2s', factor: 3, longest: '10s' };
    expect([1, 2, 3].map((retry) => delayBefore({ max: 9, backOff }, retry))).toEqual([2, 6, 10]);
  });

  it('ask for more memory, up to what the pilot has, and only where that is wanted', () => {
    const oom = { kind: 'oom' } as const;
    const policy = { max: 3, onOom: { memory: '×2' } };
    expect(retryAfter(policy, oom, { ...tries, memory: 100 }, null)).toMatchObject({ memory: 200, used: 1 });
    expect(retryAfter(policy, oom, { ...tries, memory: 100 }, 150)).toMatchObject({ memory: 150 });
    expect(retryAfter(policy, oom, { ...tries, memory: 150 }, 150)).toBeUndefined();
    expect(retryAfter({ max: 3, onOom: { memory: '1KiB' } }, oom, { ...tries, memory: 100 }, null)).toMatchObject({
      memory: 1024,
    });
    expect(retryAfter(3, oom, { ...tries, memory: 100 }, null)).toBeUndefined();
  });
});
