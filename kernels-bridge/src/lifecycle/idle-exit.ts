/**
 * Ends the bridge when nobody needs it.
 *
 * @param needed - whether there is a live pilot, a client, or a kept answer
 * @param seconds - how long nobody must have needed it
 * @returns the way to stop watching
 */
export function watchIdle(needed: () => boolean, seconds: number, end: () => void): () => void {
  let since = performance.now();
  const step = Math.max(200, Math.min(30_000, (seconds * 1000) / 4));
  const timer = setInterval(() => {
    const now = performance.now();
    if (needed()) since = now;
    else if (now - since >= seconds * 1000) end();
  }, step);
  timer.unref();
  return () => clearInterval(timer);
}
