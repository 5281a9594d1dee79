import type { Routing, RoutingPolicy } from '../schemas/routing.js';
import { toSeconds } from '../units/duration.js';

/** An instance that takes requests at the moment. */
export interface Candidate {
  readonly id: string;
  /** 1, 2, 3 … */
  readonly index: number;
  /** Share relative to the others; default 1, or what the settings say for its number. */
  readonly weight?: number | undefined;
  /** Changes when the instance has started anew: failures of the former run no longer count then. */
  readonly incarnation?: string | number | undefined;
}

/** What a request says while it looks for an instance. */
export interface Wish {
  /** Higher goes first where requests wait; default 0. */
  readonly priority?: number | undefined;
  /** For `session-affinity`. */
  readonly session?: string | undefined;
  /** Beginning of the prompt, for `prefix-affinity`. */
  readonly prefix?: string | undefined;
  /** Number of the one instance wanted. */
  readonly instance?: number | undefined;
  /** Ids of instances that have failed this request. */
  readonly tried?: ReadonlySet<string> | undefined;
}

/** Why a request waits, as a code for programs and a sentence for people. */
export interface WaitReason {
  readonly code: 'WAITS_FOR_SERVICE' | 'WAITS_FOR_PLACE';
  readonly text: string;
}

/** A request that may wait. */
export interface Asking extends Wish {
  readonly signal: AbortSignal;
  /** Called when the reason for waiting changes. */
  readonly onWait?: ((reason: WaitReason) => void) | undefined;
}

/** The right to send one request to one instance. The first of the three calls gives it back; later ones do nothing. */
export interface Grant {
  readonly candidate: Candidate;
  /** The request ended well; milliseconds from accepted to last byte. */
  succeeded(total: number): void;
  /** It failed there, which counts towards leaving the instance out; `refused`: not even a connection came about. */
  failed(why: string, refused: boolean): void;
  /** It ended for a reason that says nothing about the instance. */
  dropped(): void;
}

/** How a {@link Balancer} decides. */
export interface BalancerSettings {
  readonly policy: RoutingPolicy;
  /** By number of the instance; default 1. */
  readonly weights: Readonly<Record<string, number>>;
  /** Requests that one instance takes at a time. */
  readonly concurrency: number;
  /** Requests that may wait. */
  readonly queue: number;
  /** Failures in a row after which an instance is left out for a while. */
  readonly ejectAfter: number;
  /** Milliseconds after which a new instance gets its full share. */
  readonly slowStart: number;
}

/** Settings from the `routing` of a description, with the number of requests that an instance takes filled in. */
export function balancerSettings(routing: Routing & { readonly concurrency: number }): BalancerSettings {
  const { policy, weights, concurrency, queue, ejectAfter, slowStart } = routing;
  return { policy, weights, concurrency, queue, ejectAfter, slowStart: toSeconds(slowStart) * 1000 };
}

/** Time as a balancer sees it; injected, so that tests can let it pass. */
export interface BalancerClock {
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Calls back once after so many milliseconds, unless the function that it returns has been called before. */
  after(milliseconds: number, work: () => void): () => void;
}

/** What a balancer needs of its surroundings. */
export interface BalancerOptions {
  /** Name of the service, for sentences. */
  readonly name: string;
  /** Ids for errors, such as `{ service }`. */
  readonly ids?: Readonly<Record<string, string>> | undefined;
  readonly clock?: BalancerClock | undefined;
  /** 0 to 1. */
  readonly random?: (() => number) | undefined;
  /** Called whenever outstanding or queued may have changed. */
  readonly onChange?: (() => void) | undefined;
  /** What to add to "waits for NAME to be ready". */
  readonly whyNone?: (() => string) | undefined;
  /** Totals of an earlier life. */
  readonly totals?: readonly number[] | undefined;
}

export const systemClock: BalancerClock = {
  now: () => performance.now(),
  after: (milliseconds, work) => {
    const timer = setTimeout(work, milliseconds);
    // A request that waits is held by its own connection; a timer alone must not keep a process alive.
    if (typeof timer === 'object') timer.unref();
    return () => clearTimeout(timer);
  },
};
