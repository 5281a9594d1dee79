const listeners = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back when the signal aborts, or at once when it has. However many wait on one signal, it carries one listener:
 * Node warns of a leak from the eleventh on, and a hundred waits under one signal are none.
 *
 * @returns takes the callback back
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback();
    return () => undefined;
  }
  const known = listeners.get(signal) ?? listen(signal);
  known.add(callback);
  return () => {
    known.delete(callback);
  };
}

function listen(signal: AbortSignal): Set<() => void> {
  const callbacks = new Set<() => void>();
  listeners.set(signal, callbacks);
  signal.addEventListener(
    'abort',
    () => {
      listeners.delete(signal);
      for (const callback of [...callbacks]) callback();
    },
    { once: true },
  );
  return callbacks;
}
