/** `setTimeout` takes no longer times. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Something that wants to know some time before the pilot's time is over. */
export interface Warned {
  /** seconds before the end */
  readonly lead: number;
  timeIsShort(): void;
}

/** When the pilot ends by itself, and who is to be told before. */
export class Walltime {
  #endsAt: number;
  readonly #timers = new Map<Warned, NodeJS.Timeout>();
  readonly #listeners: (() => void)[] = [];

  /** @param endsAt - milliseconds since 1970 */
  constructor(endsAt: number) {
    this.#endsAt = endsAt;
  }

  get endsAt(): number {
    return this.#endsAt;
  }

  /** seconds */
  get left(): number {
    return Math.max(0, (this.#endsAt - Date.now()) / 1000);
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** The pilot was given another end. */
  move(endsAt: number): void {
    this.#endsAt = endsAt;
    for (const one of [...this.#timers.keys()]) this.warn(one);
    for (const listener of this.#listeners) listener();
  }

  warn(one: Warned): void {
    this.forget(one);
    const due = this.#endsAt - one.lead * 1000 - Date.now();
    const timer = setTimeout(
      () => {
        if (due > LONGEST_TIMER_MS) {
          this.warn(one);
          return;
        }
        this.#timers.delete(one);
        one.timeIsShort();
      },
      Math.min(Math.max(0, due), LONGEST_TIMER_MS),
    );
    this.#timers.set(one, timer);
  }

  forget(one: Warned): void {
    clearTimeout(this.#timers.get(one));
    this.#timers.delete(one);
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
