import { type ResolvedTaskDescription, toBytes, toSeconds } from '@pilothouse/sdk/shared';

/** Why an attempt failed, as retry policies see it. `never`: trying again changes nothing. */
export interface Failure {
  readonly kind: 'exit' | 'signal' | 'timeout' | 'staging' | 'oom' | 'lost' | 'never';
  readonly exitCode?: number | undefined;
}

/** What a task has behind it. */
export interface Tries {
  /** Retries used up. */
  readonly used: number;
  /** Attempts that were lost without a fault of their own; they use none up, but go on only so often. */
  readonly lost: number;
  /** bytes it asks for; null: no limit of its own */
  readonly memory: number | null;
}

/** It is tried again. */
export interface Retry {
  readonly used: number;
  readonly lost: number;
  /** seconds to wait before */
  readonly delay: number;
  /** bytes to ask for from now on */
  readonly memory?: number;
  /** Which retry it is, in words. */
  readonly text: string;
}

type Policy = Exclude<ResolvedTaskDescription['retries'], number>;

const BACK_OFF = { first: 1, factor: 2, longest: 300 };
/** Something that kills whatever runs it would be started for ever. */
const MOST_LOST = 10;

/** Whether, when and with what a failed attempt is tried again; undefined: it stays failed. */
export function retryAfter(
  retries: ResolvedTaskDescription['retries'],
  failure: Failure,
  { used, lost, memory }: Tries,
  mostMemory: number | null,
): Retry | undefined {
  const policy: Policy = typeof retries === 'number' ? { max: retries } : retries;
  if (policy.max === 0 || failure.kind === 'never') return undefined;
  if (failure.kind === 'lost') {
    if (lost >= MOST_LOST) return undefined;
    return { used, lost: lost + 1, delay: 0, text: 'again, which counts as no retry' };
  }
  if (used >= policy.max) return undefined;
  if (failure.kind === 'oom') {
    const more = moreMemory(policy, memory, mostMemory);
    return more === undefined ? undefined : { ...next(policy, used, lost), memory: more };
  }
  if (policy.on !== undefined && !policy.on.includes(failure.kind)) return undefined;
  const { exitCodes } = policy;
  if (failure.kind === 'exit' && exitCodes !== undefined && !exitCodes.includes(failure.exitCode ?? -1)) {
    return undefined;
  }
  return next(policy, used, lost);
}

function next(policy: Policy, used: number, lost: number): Omit<Retry, 'memory'> {
  return { used: used + 1, lost, delay: delayBefore(policy, used + 1), text: `retry ${used + 1} of ${policy.max}` };
}

/** Seconds before a retry, from 1. */
export function delayBefore(retries: ResolvedTaskDescription['retries'], retry: number): number {
  const backOff = typeof retries === 'number' ? undefined : retries.backOff;
  const first = backOff === undefined ? BACK_OFF.first : toSeconds(backOff.first);
  const factor = backOff?.factor ?? BACK_OFF.factor;
  const longest = backOff === undefined ? BACK_OFF.longest : toSeconds(backOff.longest);
  return Math.min(longest, first * factor ** (retry - 1));
}

/** Bytes to ask for after running out of memory, at most what the pilot has; undefined: no more than before. */
function moreMemory(policy: Policy, memory: number | null, most: number | null): number | undefined {
  if (policy.onOom === undefined || memory === null) return undefined;
  const wanted = policy.onOom.memory;
  const times = /^[×x](\d+(?:\.\d+)?)$/.exec(wanted)?.[1];
  const bytes = times === undefined ? toBytes(wanted) : Math.round(memory * Number(times));
  const more = Math.min(bytes, most ?? bytes);
  return more > memory ? more : undefined;
}
