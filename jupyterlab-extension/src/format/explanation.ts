import type { AnyHandle, Explanation } from '@pilothouse/sdk';

/** Asks why a thing is not further; what its reason or error was read from goes with it. */
export async function explained(handle: AnyHandle, signal?: AbortSignal): Promise<Explanation> {
  const { text, evidence } = await handle.explanation({ signal });
  const { reason, error } = handle.record;
  return { text, evidence: [...evidence, ...lines(reason?.evidence), ...lines(error?.evidence)] };
}

function lines(evidence: string | undefined): string[] {
  return (evidence ?? '').split('\n').filter((line) => line.trim() !== '');
}
