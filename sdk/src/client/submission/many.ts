import type { Many } from '../types.js';

/** Each value changed on its way. Stays synchronous as long as source and change are, for that is what is fast. */
export function mapMany<A, B>(source: Many<A>, change: (value: A) => B | Promise<B>): Many<B> {
  if (Symbol.asyncIterator in source) return mapAsync(source, change);
  const iterator = source[Symbol.iterator]();
  const first = iterator.next();
  if (first.done) return [];
  const changed = change(first.value);
  const rest = { [Symbol.iterator]: () => iterator };
  return changed instanceof Promise ? mapAsync(rest, change, changed) : mapSync(rest, change, changed);
}

function* mapSync<A, B>(source: Iterable<A>, change: (value: A) => B | Promise<B>, first: B): Generator<B, void, void> {
  yield first;
  for (const value of source) {
    const changed = change(value);
    if (changed instanceof Promise) throw new TypeError('a schema that validates at once must always do so');
    yield changed;
  }
}

async function* mapAsync<A, B>(
  source: Many<A>,
  change: (value: A) => B | Promise<B>,
  first?: Promise<B>,
): AsyncGenerator<B, void, void> {
  if (first) yield await first;
  for await (const value of source) yield await change(value);
}
