import { Observable, ReplaySubject } from 'rxjs';

/**
 * A state that can be read at any time and watched: replays the last value to each subscriber also after it has
 * completed (a BehaviorSubject would not), leaves out repetitions, and never errors, for failure is a state.
 */
export class StateStream<T> {
  readonly #subject = new ReplaySubject<T>(1);
  readonly #equal: (a: T, b: T) => boolean;
  #value: T;
  #completed = false;

  /** @param equal - tells whether two values are the same to a watcher; default `Object.is` */
  constructor(initial: T, equal: (a: T, b: T) => boolean = Object.is) {
    this.#equal = equal;
    this.#value = initial;
    this.#subject.next(initial);
  }

  get value(): T {
    return this.#value;
  }

  get completed(): boolean {
    return this.#completed;
  }

  /** Sets the value; nothing happens when it is the same, or after the end. */
  next(value: T): void {
    if (this.#completed || this.#equal(this.#value, value)) return;
    this.#value = value;
    this.#subject.next(value);
  }

  complete(): void {
    this.#completed = true;
    this.#subject.complete();
  }

  asObservable(): Observable<T> {
    return new Observable((subscriber) => this.#subject.subscribe(subscriber));
  }
}
