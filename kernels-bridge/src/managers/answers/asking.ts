import {
  type Duration,
  type ErrorData,
  PilothouseError,
  type RequestOptions,
  type ServiceRequest,
  toErrorData,
  toSeconds,
} from '@pilothouse/sdk/internal';
import {
  type Adapter,
  neverArrived,
  type Outcome,
  type Place,
  type Routable,
  type Seeking,
  type Target,
} from '@pilothouse/serving';
import { Attempt } from './attempt.js';
import { isRepeatable, namesFiles, prefixOf } from './request-kinds.js';

/** What asking needs, and whom it tells. */
export interface AskingOptions {
  readonly route: Routable;
  readonly adapter: Adapter;
  readonly request: ServiceRequest;
  readonly options: RequestOptions;
  readonly signal: AbortSignal;
  /** Monotonic milliseconds since the request was accepted. */
  readonly now: () => number;
  /** Another way to the instance, for requests that name files. */
  readonly forFiles: (place: Place) => Promise<Target>;
  readonly onWait: Seeking['onWait'];
  /** An instance has taken the request. */
  readonly onStart: (attempt: Attempt) => void;
  readonly onChunk: (text: string, data?: unknown) => void;
  /** An instance was asked in vain; another is asked now. */
  readonly onFailed: (attempt: Attempt, error: ErrorData) => void;
}

/** How the request ended well. */
export interface Answered {
  readonly attempt: Attempt;
  readonly outcome: Outcome;
}

/**
 * Asks one instance after another until one answers: again only where nothing of the answer has been passed on and
 * asking twice does no harm. Where the service says so, a second instance is asked beside a silent one, and the first
 * to say something is the one that answers.
 */
export class Asking {
  readonly #options: AskingOptions;
  readonly #tried = new Set<string>();
  readonly #live = new Set<Attempt>();
  /** The attempt whose answer is passed on. */
  #winner: Attempt | undefined;
  #latest: Attempt | undefined;

  constructor(options: AskingOptions) {
    this.#options = options;
  }

  /** The attempt that answers, or the latest; undefined: no instance has been asked. */
  get attempt(): Attempt | undefined {
    return this.#winner ?? this.#latest;
  }

  async run(): Promise<Answered> {
    const { route, signal, onFailed } = this.#options;
    for (let left = route.retries; ; left -= 1) {
      const attempt = await this.#begin(await this.#acquire(signal));
      try {
        return await this.#race(attempt);
      } catch (error) {
        if (!this.#mayAskAgain(error, left)) throw error;
        onFailed(this.#latest ?? attempt, toErrorData(error));
      }
    }
  }

  #mayAskAgain(error: unknown, left: number): boolean {
    const { signal, route, request, options } = this.#options;
    if (this.#winner !== undefined || signal.aborted || left <= 0 || options.instance !== undefined) return false;
    const failed = error instanceof PilothouseError && error.retryable;
    return (neverArrived(error) || (failed && isRepeatable(request))) && route.hasOther(this.#tried);
  }

  #acquire(signal: AbortSignal): Promise<Place> {
    const { route, request, options, onWait } = this.#options;
    const { priority, session, instance } = options;
    // A copy: the router reads it while more are tried.
    const tried = new Set(this.#tried);
    return route.acquire({ signal, priority, session, instance, prefix: prefixOf(request), tried, onWait });
  }

  async #begin(place: Place): Promise<Attempt> {
    const { adapter, request, options, signal, now, onStart, onChunk, route } = this.#options;
    this.#tried.add(place.instance.id);
    const attempt = new Attempt({
      adapter,
      place,
      target: await this.#target(place),
      request,
      options,
      timeout: milliseconds(options.attemptTimeout) ?? route.attemptTimeout,
      signal,
      now,
      onStart: (starting) => {
        if (this.#winner === undefined || this.#winner === starting) onStart(starting);
      },
      onChunk,
      claim: (claiming) => this.#claim(claiming),
    });
    this.#latest = attempt;
    this.#live.add(attempt);
    return attempt;
  }

  async #target(place: Place): Promise<Target> {
    if (!namesFiles(this.#options.request)) return place.target;
    try {
      return await this.#options.forFiles(place);
    } catch (error) {
      place.dropped();
      throw error;
    }
  }

  /** The first to say something answers; the others are stopped, at their servers too. */
  #claim(attempt: Attempt): boolean {
    if (this.#winner === undefined) {
      this.#winner = attempt;
      for (const other of this.#live) if (other !== attempt) other.giveUp();
      this.#options.onStart(attempt);
    }
    return this.#winner === attempt;
  }

  /** Waits for an attempt, and where it says nothing for long, for a second one beside it. */
  async #race(first: Attempt): Promise<Answered> {
    const { route, request, options, onFailed } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<Answered>();
    const over = new AbortController();
    let pending = 0;
    const follow = (attempt: Attempt): void => {
      pending += 1;
      attempt.outcome.then(
        (outcome) => resolve({ attempt, outcome }),
        (error: unknown) => {
          pending -= 1;
          this.#live.delete(attempt);
          this.#giveBack(attempt, error);
          if (this.#winner === attempt || pending === 0) reject(error);
          else if (this.#winner === undefined) onFailed(attempt, toErrorData(error));
        },
      );
    };
    follow(first);
    const after = milliseconds(options.hedgeAfter) ?? route.hedgeAfter;
    const hedges = after !== null && isRepeatable(request) && options.instance === undefined;
    const timer = hedges ? setTimeout(() => void this.#hedge(over.signal, follow), after) : undefined;
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      over.abort();
    }
  }

  /** Asks a second instance; where none can be had in time, the first is waited for alone. */
  async #hedge(over: AbortSignal, follow: (attempt: Attempt) => void): Promise<void> {
    if (this.#winner !== undefined || !this.#options.route.hasOther(this.#tried)) return;
    try {
      const place = await this.#acquire(AbortSignal.any([this.#options.signal, over]));
      if (this.#winner === undefined && !over.aborted) follow(await this.#begin(place));
      else place.dropped();
    } catch {
      // What keeps a second instance from being asked is no failure of the request: the first is still at it.
    }
  }

  #giveBack(attempt: Attempt, error: unknown): void {
    const { signal } = this.#options;
    const lost = this.#winner !== undefined && this.#winner !== attempt;
    // An instance that has said nothing when the time is over is not well; one that was stopped is.
    const { reason } = signal;
    const silent = signal.aborted && !attempt.heard && reason instanceof PilothouseError && reason.code === 'TIMEOUT';
    attempt.giveBack(error, lost || (signal.aborted && !silent));
  }
}

function milliseconds(duration: Duration | undefined): number | null {
  return duration === undefined ? null : toSeconds(duration) * 1000;
}
