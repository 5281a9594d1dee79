const DEFAULT_LIMIT_MS = 20_000;
const POLL_MS = 50;

/**
 * Waits until a condition holds, and fails with what was waited for when it does not in time.
 * @param what completes the sentence "Waited in vain for …"
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  limitMs = DEFAULT_LIMIT_MS,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Waited in vain for ${what} (${limitMs / 1000} s)`);
    await new Promise((resume) => setTimeout(resume, POLL_MS));
  }
}
