import { type ErrorData, formatSeconds, type ResolvedTaskDescription, type SpooledTask } from '@pilothouse/sdk/shared';
import { reason } from './details.js';
import { delayBefore, type Failure, type Retry, retryAfter } from './retries.js';
import type { PastTask } from './task.js';
import type { TaskDetails } from './task-host.js';

type Retries = ResolvedTaskDescription['retries'];

/** Which attempt of a task this is, and what the earlier ones have used up. */
export class Tries {
  #number: number;
  #used: number;
  #lost = 0;
  #memory: number | undefined;

  constructor({ attempts = 0 }: SpooledTask, past: PastTask | undefined) {
    this.#used = past?.retries ?? attempts;
    this.#number = past?.attempt ?? attempts + 1;
    this.#memory = past?.memory;
  }

  /** Number of the present attempt: 1, 2, 3 … */
  get number(): number {
    return this.#number;
  }

  /** bytes it asks for instead of what its description says */
  get memory(): number | undefined {
    return this.#memory;
  }

  /** Seconds to wait before the present attempt. */
  delay(retries: Retries): number {
    return delayBefore(retries, this.#used);
  }

  /** What follows a failure; undefined: nothing. @param memory - bytes it had asked for */
  after(retries: Retries, failure: Failure, memory: number | null, mostMemory: number | null): Retry | undefined {
    return retryAfter(retries, failure, { used: this.#used, lost: this.#lost, memory }, mostMemory);
  }

  /** Goes on to the next attempt; gives what is written down about it. */
  next(retry: Retry, error: ErrorData): TaskDetails {
    this.#number += 1;
    this.#used = retry.used;
    this.#lost = retry.lost;
    this.#memory = retry.memory ?? this.#memory;
    const when = retry.delay > 0 ? ` in ${formatSeconds(retry.delay)}` : '';
    return {
      ...this.details,
      ...(this.#memory === undefined ? {} : { memory: this.#memory }),
      reason: reason('BACK_OFF', `${retry.text}${when}: ${error.message}`, error.evidence),
    };
  }

  get details(): TaskDetails {
    return { attempt: this.#number, retries: this.#used };
  }
}

/** Whether a task that was cut off by the end of its pilot goes on in the next. */
export function mayGoOn(retries: Retries, checkpoint: string | undefined): boolean {
  return checkpoint !== undefined || (typeof retries === 'number' ? retries : retries.max) > 0;
}
