import { PilothouseError, type RequestOptions, type ServiceRequest } from '@pilothouse/sdk/internal';
import type { Adapter, Outcome, Place, Target } from '@pilothouse/serving';
import { neverArrived } from '@pilothouse/serving';
import { comesInPieces } from './request-kinds.js';

/** What one attempt needs. */
export interface AttemptOptions {
  readonly adapter: Adapter;
  readonly place: Place;
  readonly target: Target;
  readonly request: ServiceRequest;
  readonly options: RequestOptions;
  /** Milliseconds to the first piece of the answer; null: as long as the request. */
  readonly timeout: number | null;
  /** Ends with the whole request. */
  readonly signal: AbortSignal;
  /** The answer begins, and is the one that is wanted where this says true; else the attempt ends. */
  readonly claim: (attempt: Attempt) => boolean;
  /** The instance has taken the request. */
  readonly onStart: (attempt: Attempt) => void;
  readonly onChunk: (text: string, data?: unknown) => void;
  /** When it is asked, by whatever clock the caller has. */
  readonly now: () => number;
}

/** One instance asked once. Its place is not given back here: that is for whoever knows how the whole request ended. */
export class Attempt {
  readonly place: Place;
  readonly target: Target;
  readonly sentAt: number;
  /** Whether anything has come from the instance. */
  heard = false;
  #claimed = false;
  readonly #options: AttemptOptions;
  readonly #control = new AbortController();
  readonly #impatience: NodeJS.Timeout | undefined;
  readonly outcome: Promise<Outcome>;

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.place = options.place;
    this.target = options.target;
    this.sentAt = options.now();
    const { timeout } = options;
    if (timeout !== null) {
      this.#impatience = setTimeout(() => this.#control.abort(silent(this.target.name, timeout)), timeout);
    }
    this.outcome = this.#ask();
    // It may lose a race, or fail while another is looked at.
    this.outcome.catch(() => undefined);
  }

  /** Another was quicker. */
  giveUp(): void {
    this.#control.abort(slower());
  }

  /** Gives the place back after a failure. `ours`: it ended because the request did, not because of the instance. */
  giveBack(error: unknown, ours: boolean): void {
    if (!ours && isFault(error)) this.place.failed(textOf(error), neverArrived(error));
    else this.place.dropped();
  }

  async #ask(): Promise<Outcome> {
    const { adapter, target, request, options, signal } = this.#options;
    const pieces = comesInPieces(request);
    try {
      const outcome = await adapter.ask({
        target,
        request,
        options,
        signal: AbortSignal.any([signal, this.#control.signal]),
        onStart: () => {
          // An answer in one piece begins with its head; a stream may have a head long before its first token.
          if (!pieces) this.#hear();
          this.#options.onStart(this);
        },
        onChunk: (text, data) => {
          if (this.#claim()) this.#options.onChunk(text, data);
        },
      });
      if (this.#claim()) return outcome;
      throw slower();
    } finally {
      clearTimeout(this.#impatience);
    }
  }

  #hear(): void {
    this.heard = true;
    clearTimeout(this.#impatience);
  }

  #claim(): boolean {
    this.#hear();
    this.#claimed ||= this.#options.claim(this);
    return this.#claimed;
  }
}

/** Whether a failure says something about the instance rather than about the request. */
export function isFault(error: unknown): boolean {
  if (!(error instanceof PilothouseError) || error.code === 'QUEUE_FULL') return false;
  return error.retryable || neverArrived(error) || error.code === 'AUTHENTICATION_FAILED';
}

function slower(): PilothouseError {
  return new PilothouseError('CLOSED', 'another instance was quicker');
}

function silent(name: string, timeout: number): PilothouseError {
  return new PilothouseError(
    'BACKEND_TIMEOUT',
    `${name} took the request and said nothing within ${timeout / 1000} s`,
    {
      hint: 'See the log of the service; a longer attemptTimeout gives it more time.',
    },
  );
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
