import type { PilothouseError } from '../../errors/index.js';
import type { DefinedFunction } from '../../functions/types.js';
import type { TaskEntry, TaskOutcome } from '../../schemas/index.js';
import { withDeadline } from '../deadline.js';
import type { Core } from '../handles/core.js';
import { toResult } from '../handles/set-results.js';
import { memberHandle, type TaskHandle } from '../handles/task-handle.js';
import { decodePayload } from '../payloads.js';
import type { Call, CallOptions, SetResult } from '../types.js';

/** {@link Call} over a session. No more than a few fields: there may be thousands a second. */
export class CallHandle<V> implements Call<V> {
  readonly kind = 'call';
  readonly #core: Core;
  readonly #fn: DefinedFunction<readonly unknown[], V>;
  /** How it travels; let go once it has arrived. */
  entry: TaskEntry | null = null;
  /** Roughly the characters that its arguments take. */
  size = 0;
  #set = '';
  #number = -1;
  #outcome: TaskOutcome | null = null;
  #failure: PilothouseError | null = null;
  #waiting: (() => void)[] | null = null;

  constructor(core: Core, fn: DefinedFunction<readonly unknown[], V>) {
    this.#core = core;
    this.#fn = fn;
  }

  get id(): string {
    return this.#set === '' ? '' : `${this.#set}.${this.#number}`;
  }

  get name(): string {
    return this.#fn.name;
  }

  get state(): Call['state'] {
    if (this.#failure) return 'FAILED';
    const state = this.#outcome?.state;
    return state === 'DONE' || state === 'FAILED' || state === 'CANCELED' ? state : 'NEW';
  }

  /** It is the task of that number of that set. */
  place(set: string, number: number): void {
    this.#set = set;
    this.#number = number;
  }

  /** It has ended. */
  settle(outcome: TaskOutcome): void {
    this.#outcome = outcome;
    this.#tell();
  }

  /** It could not be sent, or nobody will hear of its end. */
  fail(error: PilothouseError): void {
    if (this.#outcome) return;
    this.#failure = error;
    this.entry = null;
    this.#tell();
  }

  result(options?: CallOptions): Promise<V> {
    if (options === undefined) return this.#value();
    return withDeadline(`calling ${this.name}`, options, null, () => this.#value());
  }

  async done(options?: CallOptions): Promise<SetResult<V>> {
    return withDeadline(`calling ${this.name}`, options, null, async () => toResult(await this.#ended(), this.#decode));
  }

  async task(options?: CallOptions): Promise<TaskHandle> {
    return memberHandle(this.#core, await this.#identified(options), options);
  }

  async explain(options?: CallOptions): Promise<string> {
    const ref = await this.#identified(options);
    const { text } = await this.#core.caller.call(`explaining ${this.name}`, options, (api, signal) =>
      api.tasks.explain({ ref }, { signal }),
    );
    return text;
  }

  async cancel(options?: CallOptions): Promise<void> {
    const ref = await this.#identified(options);
    await this.#core.caller.call(`canceling ${this.name}`, options, (api, signal) =>
      api.tasks.cancel({ ref }, { signal }),
    );
  }

  async #value(): Promise<V> {
    const outcome = this.#outcome ?? (await this.#ended());
    const known = toResult(outcome, this.#decode);
    const result = known instanceof Promise ? await known : known;
    if (result.error !== null) throw result.error;
    return result.value;
  }

  readonly #decode = ({ value }: TaskOutcome): V | Promise<V> => {
    const payload = value === null ? null : decodePayload(value, this.#core.readFile);
    return payload instanceof Promise ? payload.then(this.#fn.decode) : this.#fn.decode(payload);
  };

  async #ended(): Promise<TaskOutcome> {
    while (!this.#outcome && !this.#failure) await this.#change();
    if (this.#outcome) return this.#outcome;
    throw this.#failure;
  }

  /** Its id, once it has been taken. */
  #identified(options: CallOptions | undefined): Promise<string> {
    return withDeadline(`calling ${this.name}`, options, 30, async () => {
      while (this.entry !== null || this.id === '') {
        if (this.#failure) throw this.#failure;
        await this.#change();
      }
      return this.id;
    });
  }

  /** It has been taken: it has its id for good. */
  taken(): void {
    this.entry = null;
    this.#tell();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting ??= [];
      this.#waiting.push(resolve);
    });
  }

  #tell(): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    this.#waiting = null;
    for (const resolve of waiting) resolve();
  }
}
