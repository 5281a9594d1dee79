import { describe, expect, it } from 'vitest';
import { Autoscaler } from './autoscaler.js';

const SCALE = { min: 1, max: 8, target: 4, upAfter: 3, downAfter: 60 };
const CALM = { floor: 0, room: 100 };

describe('the number of instances', () => {
  it('grows when there was too much to do for long enough, to twice as many at most', () => {
    const scaler = new Autoscaler(SCALE);
    expect(scaler.decide({ ...CALM, now: 0, load: 20, wanted: 1 })).toBeUndefined();
    expect(scaler.decide({ ...CALM, now: 2900, load: 20, wanted: 1 })).toBeUndefined();
    expect(scaler.decide({ ...CALM, now: 3000, load: 20, wanted: 1 })).toEqual({
      wanted: 2,
      why: '1 → 2: 20 requests for 1 instance, for 3 s',
    });
    // The new one gets its time first.
    expect(scaler.decide({ ...CALM, now: 3100, load: 20, wanted: 2 })).toBeUndefined();
    expect(scaler.decide({ ...CALM, now: 6100, load: 20, wanted: 2 })?.wanted).toBe(4);
    expect(scaler.decide({ ...CALM, now: 9300, load: 20, wanted: 4 })).toBeUndefined();
    expect(scaler.decide({ ...CALM, now: 12_300, load: 20, wanted: 4 })?.wanted).toBe(5);
  });

  it('does not grow for a burst that is over in time', () => {
    const scaler = new Autoscaler(SCALE);
    scaler.decide({ ...CALM, now: 0, load: 20, wanted: 1 });
    scaler.decide({ ...CALM, now: 2000, load: 2, wanted: 1 });
    expect(scaler.decide({ ...CALM, now: 4000, load: 20, wanted: 1 })).toBeUndefined();
  });

  it('shrinks to the most that were of use for long enough', () => {
    const scaler = new Autoscaler(SCALE);
    expect(scaler.decide({ ...CALM, now: 0, load: 0, wanted: 4 })).toBeUndefined();
    expect(scaler.decide({ ...CALM, now: 30_000, load: 7, wanted: 4 })).toBeUndefined();
    expect(scaler.decide({ ...CALM, now: 60_000, load: 1, wanted: 4 })).toEqual({
      wanted: 2,
      why: '4 → 2: 1 request for 4 instances, for 1 min',
    });
  });

  it('goes to zero where that is allowed, back for a request at once, and for whatever waits', () => {
    const scaler = new Autoscaler({ ...SCALE, min: 0 });
    expect(scaler.decide({ ...CALM, now: 0, load: 0, wanted: 1 })).toBeUndefined();
    expect(scaler.decide({ ...CALM, now: 60_000, load: 0, wanted: 1 })).toEqual({
      wanted: 0,
      why: '1 → 0: no requests, for 1 min',
    });
    expect(scaler.decide({ ...CALM, now: 60_100, load: 0, wanted: 0 })).toBeUndefined();
    expect(scaler.decide({ ...CALM, now: 60_200, load: 3, wanted: 0 })).toEqual({
      wanted: 1,
      why: '0 → 1: 3 requests to answer',
    });
    expect(scaler.decide({ ...CALM, now: 60_300, load: 0, wanted: 0, floor: 1 })).toEqual({
      wanted: 1,
      why: '0 → 1: something waits for it',
    });
  });

  it('stays within what the pilot can hold, and says so', () => {
    const scaler = new Autoscaler(SCALE);
    scaler.decide({ floor: 0, room: 2, now: 0, load: 40, wanted: 2 });
    expect(scaler.decide({ floor: 0, room: 2, now: 3000, load: 40, wanted: 2 })).toEqual({
      wanted: 2,
      why: 'stays at 2: there is more to do, but the pilot has no room for more',
    });
  });

  it('follows new limits at once', () => {
    expect(new Autoscaler({ ...SCALE, min: 3 }).decide({ ...CALM, now: 0, load: 0, wanted: 1 })).toEqual({
      wanted: 3,
      why: '1 → 3: at least 3 were asked for',
    });
    expect(new Autoscaler({ ...SCALE, max: 2 }).decide({ ...CALM, now: 0, load: 90, wanted: 5 })).toEqual({
      wanted: 2,
      why: '5 → 2: at most 2 were asked for',
    });
  });
});
