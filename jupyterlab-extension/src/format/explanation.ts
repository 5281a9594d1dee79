import type { AnyHandle } from '@pilothouse/sdk';
import type { Reason } from '@pilothouse/sdk/internal';

/** Why something is not further, and what that was read from. */
export interface Explained {
  readonly text: string;
  readonly evidence: readonly string[];
}

/** Asks why a thing is not further; what its reason was read from goes with it. */
export async function explained(handle: AnyHandle, signal?: AbortSignal): Promise<Explained> {
  const text = await handle.explain({ signal });
  const { reason, error } = handle.record;
  return { text, evidence: [...evidenceOf(reason), ...lines(error?.evidence)] };
}

/** What a reason was read from, line by line. */
export function evidenceOf(reason: Reason | null): string[] {
  return lines(reason?.evidence);
}

function lines(evidence: string | undefined): string[] {
  return (evidence ?? '').split('\n').filter((line) => line.trim() !== '');
}
