import fc from 'fast-check';
import { lastValueFrom, NEVER, of, Subject, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { StateStream } from '../src/client/streams/state-stream.js';
import { toAsyncIterable } from '../src/client/streams/to-async-iterable.js';

describe('StateStream', () => {
  it('replays the last value, before and after the end, and leaves out repetitions', async () => {
    const stream = new StateStream('a');
    const all = lastValueFrom(stream.asObservable().pipe(toArray()));
    for (const value of ['a', 'b', 'b', 'c']) stream.next(value);
    stream.complete();
    stream.next('late');
    expect(await all).toEqual(['a', 'b', 'c']);
    expect(await lastValueFrom(stream.asObservable())).toBe('c');
    expect(stream.value).toBe('c');
  });
});

describe('toAsyncIterable', () => {
  it('hands out everything that fits', async () => {
    const seen: number[] = [];
    for await (const value of toAsyncIterable(of(1, 2, 3))) seen.push(value);
    expect(seen).toEqual([1, 2, 3]);
  });

  it('keeps the latest and counts the rest, for any order of giving and taking', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { maxLength: 60 }),
        fc.integer({ min: 1, max: 5 }),
        async (steps, buffer) => {
          const source = new Subject<number>();
          const values = toAsyncIterable(source, { buffer });
          let given = 0;
          const taken: Promise<IteratorResult<number>>[] = [values.next()];
          for (const give of steps) {
            if (give) source.next(given++);
            else taken.push(values.next());
            expect(values.waiting).toBeLessThanOrEqual(buffer);
            expect(values.taken + values.waiting + values.dropped).toBe(given);
          }
          source.complete();
          const got = (await Promise.all(taken)).filter(({ done }) => !done).map(({ value }) => Number(value));
          expect(got).toEqual([...got].sort((a, b) => a - b));
        },
      ),
    );
  });

  it('ends with BUFFER_OVERFLOW where losing is not allowed, after what had fitted', async () => {
    const source = new Subject<number>();
    const values = toAsyncIterable(source, { buffer: 2, overflow: 'error' });
    const first = values.next();
    for (const value of [1, 2, 3, 4]) source.next(value);
    expect(await first).toEqual({ value: 1, done: false });
    expect((await values.next()).value).toBe(2);
    expect((await values.next()).value).toBe(3);
    await expect(values.next()).rejects.toMatchObject({ code: 'BUFFER_OVERFLOW' });
    expect((await values.next()).done).toBe(true);
  });

  it('unsubscribes when the loop is left, and throws the reason of its signal', async () => {
    const source = new Subject<number>();
    const values = toAsyncIterable(source);
    const first = values.next();
    source.next(1);
    await first;
    expect(source.observed).toBe(true);
    await values.return();
    expect(source.observed).toBe(false);
    const controller = new AbortController();
    const waiting = toAsyncIterable(NEVER, { signal: controller.signal }).next();
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});
