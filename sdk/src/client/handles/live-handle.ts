import { distinctUntilChanged, map, Observable, Subject, takeUntil } from 'rxjs';
import { PilothouseError } from '../../errors/index.js';
import type { AnyRecord } from '../../schemas/index.js';
import type { StateMachine } from '../../states/index.js';
import { withDeadline } from '../deadline.js';
import { onAbort } from '../on-abort.js';
import type { RecordCell } from '../picture/record-cell.js';
import type { CallOptions, Explanation, Handle, Status } from '../types.js';
import { grantAccess } from './access.js';
import type { Core, OnClosed } from './core.js';
import { goneError } from './failures.js';

/** Everything that handles of all kinds do alike. */
export abstract class LiveHandle<S extends string, R extends AnyRecord & { readonly state: S }>
  implements Handle<S, R>
{
  protected readonly core: Core;
  protected readonly cell: RecordCell<R>;
  readonly #machine: StateMachine<S>;
  readonly #closed = new AbortController();

  constructor(core: Core, cell: RecordCell<R>, machine: StateMachine<S>) {
    this.core = core;
    this.cell = cell;
    this.#machine = machine;
    grantAccess(this, { views: core.views, identified: () => this.identified() });
  }

  get id(): string {
    return this.cell.record.id;
  }

  get name(): string {
    return this.cell.record.name;
  }

  get state(): S {
    return this.cell.record.state;
  }

  get record(): R {
    return this.cell.record;
  }

  get status(): Status<S> {
    return statusOf<S>(this.cell.record);
  }

  get record$(): Observable<R> {
    return this.cell.stream
      .asObservable()
      .pipe(takeUntil(new Observable<void>((subscriber) => this.onClosed(() => subscriber.next()))));
  }

  get status$(): Observable<Status<S>> {
    return this.record$.pipe(
      map((record) => statusOf<S>(record)),
      distinctUntilChanged<Status<S>>(sameStatus),
    );
  }

  async until(state: S, options?: CallOptions): Promise<Status<S>> {
    if (!this.#machine.states.includes(state)) {
      throw new PilothouseError('INVALID_DESCRIPTION', `until: a ${this.record.kind} is never "${state}".`, {
        field: 'state',
        hint: `Use one of ${this.#machine.states.join(', ')}.`,
      });
    }
    // Changes are conflated: a state passed through between two looks shows only in its time.
    const before = this.record.times[state];
    return this.wait(`${this.record.kind} ${this.name}: ${state}`, options, (record) => {
      const passed = record.times[state] !== undefined && record.times[state] !== before;
      if (record.state === state || passed) return statusOf<S>(record);
      if (!this.#machine.canReach(record.state, state)) throw goneError(record, `can no longer become ${state}`);
      return undefined;
    });
  }

  done(options?: CallOptions): Promise<Status<S>> {
    return this.wait(`${this.record.kind} ${this.name}: its end`, options, (record) =>
      this.#machine.isFinal(record.state) ? statusOf<S>(record) : undefined,
    );
  }

  abstract explanation(options?: CallOptions): Promise<Explanation>;

  async explain(options?: CallOptions): Promise<string> {
    const { text } = await this.explanation(options);
    return text;
  }

  close(): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort(
      new PilothouseError('CLOSED', `The handle of ${this.record.kind} ${this.name} was closed.`, {
        hint: 'What it looked at goes on; get a new handle by name.',
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** Resolves once the thing has its id; never rejects. */
  protected async identified(): Promise<void> {}

  /** Calls back, with the reason, when this handle or its session is closed; returns what takes the callback back. */
  protected readonly onClosed: OnClosed = (callback) => {
    const closed = [this.#closed.signal, this.core.closed];
    const leave = closed.map((signal) => onAbort(signal, () => callback(signal.reason)));
    return () => {
      for (const one of leave) one();
    };
  };

  /** Resolves with the first value that `pick` finds in a state of the thing, and rejects with what it throws. */
  protected async wait<T>(
    what: string,
    options: CallOptions | undefined,
    pick: (record: R) => T | undefined,
  ): Promise<T> {
    const now = pick(this.record);
    if (now !== undefined) return now;
    return withDeadline(what, options, null, (signal) => this.#pickFirst(signal, pick));
  }

  #pickFirst<T>(signal: AbortSignal, pick: (record: R) => T | undefined): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const over = new Subject<void>();
      let leave: (() => void)[] = [];
      const end = () => {
        over.next();
        for (const one of leave) one();
      };
      this.cell.stream
        .asObservable()
        .pipe(takeUntil(over))
        .subscribe((record) => {
          try {
            const picked = pick(record);
            if (picked === undefined) return;
            resolve(picked);
          } catch (error) {
            reject(error);
          }
          end();
        });
      const closed = (reason: unknown) => {
        reject(reason);
        end();
      };
      leave = [this.onClosed(closed), onAbort(signal, end)];
    });
  }
}

function statusOf<S extends string>(record: AnyRecord & { readonly state: S }): Status<S> {
  const { state, reason, contact, since } = record;
  return { state, reason, contact, since, attempt: 'attempt' in record ? record.attempt : 1 };
}

function sameStatus(a: Status<string>, b: Status<string>): boolean {
  return (
    a.state === b.state &&
    a.since === b.since &&
    a.attempt === b.attempt &&
    a.contact.lost === b.contact.lost &&
    a.reason?.code === b.reason?.code &&
    a.reason?.text === b.reason?.text
  );
}
