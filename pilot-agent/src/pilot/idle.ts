/** After so long without anything to do people are told that the pilot is idle; shorter gaps are between two steps. */
const TELL_SECONDS = 10;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Since when nothing has run, and when the pilot ends for that. */
export interface IdleTime {
  readonly since: string;
  readonly endsAt: string;
}

/** What hears of idle time. */
export interface IdleListener {
  /** It is idle; null: no longer. */
  idle(time: IdleTime | null): void;
  /** Nothing has run for all the time that was given. */
  over(): void;
}

/** Gives resources back that nobody uses, and says so before. */
export class Idle {
  readonly #after: number;
  readonly #listener: IdleListener;
  #timer: NodeJS.Timeout | undefined;
  #since: number | undefined;
  #told = false;

  /** @param after - seconds without anything to do after which the pilot ends */
  constructor(after: number, listener: IdleListener) {
    this.#after = after;
    this.#listener = listener;
  }

  /** Says whether there is anything to do now. */
  look(busy: boolean): void {
    if (busy) this.#stop();
    else if (this.#since === undefined) this.#begin();
  }

  /** Somebody wants the pilot to stay: the time starts anew. */
  keep(): void {
    if (this.#since === undefined) return;
    this.#stop();
    this.#begin();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#since = 0;
  }

  #begin(): void {
    const since = Date.now();
    this.#since = since;
    this.#timer = setTimeout(() => this.#tell(since), Math.min(TELL_SECONDS, this.#after / 2) * 1000);
  }

  #tell(since: number): void {
    this.#told = true;
    const endsAt = since + this.#after * 1000;
    this.#listener.idle({ since: new Date(since).toISOString(), endsAt: new Date(endsAt).toISOString() });
    this.#waitUntil(endsAt);
  }

  #waitUntil(endsAt: number): void {
    const left = endsAt - Date.now();
    this.#timer = setTimeout(
      () => {
        if (left > LONGEST_TIMER_MS) this.#waitUntil(endsAt);
        else this.#listener.over();
      },
      Math.min(Math.max(0, left), LONGEST_TIMER_MS),
    );
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#since = undefined;
    if (this.#told) this.#listener.idle(null);
    this.#told = false;
  }
}
