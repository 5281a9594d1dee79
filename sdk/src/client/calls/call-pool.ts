import type { PilothouseError } from '../../errors/index.js';
import type { EncodedArguments } from '../../functions/data.js';
import { asDefined } from '../../functions/define-function.js';
import type { DefinedFunction, FunctionOptions } from '../../functions/types.js';
import type { TaskEntry } from '../../schemas/index.js';
import { pause } from '../deadline.js';
import { decodeError } from '../decode-error.js';
import type { Core } from '../handles/core.js';
import { toEntry } from '../submission/task-input.js';
import { CallHandle } from './call-handle.js';
import { CallSet } from './call-set.js';

/** A set that has taken so many calls is closed, so that the bridge can let go of it; the next takes over. */
const CALLS = 100_000;
/** A set that has not been used for so long is closed. */
const IDLE_MS = 60_000;
/** For closing the sets when the session is closed. */
const CLOSE_MS = 1_000;

/** A function with its options: what a set is open for. */
interface Kind {
  readonly key: string;
  readonly name: string | undefined;
  readonly template: TaskEntry;
}

interface Kept {
  readonly set: CallSet;
  used: number;
}

/** The open sets of a session's calls: one for each function with its options. */
export class CallPool {
  readonly #core: Core;
  /** Those that take calls, by key. */
  readonly #sets = new Map<string, Kept>();
  /** Those that somebody still waits for. */
  readonly #live = new Set<CallSet>();
  /** Functions are defined once and called often: what follows from them is worked out once. */
  readonly #kinds = new WeakMap<object, Kind>();
  #timer: ReturnType<typeof setInterval> | null = null;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Calls a function. Throws for what is no function; all else that is wrong is the call's failure. */
  run<V>(fn: DefinedFunction<readonly unknown[], V>, args: readonly unknown[]): CallHandle<V> {
    const kind = this.#kindOf(asDefined(fn));
    const call = new CallHandle(this.#core, fn);
    try {
      const encoded = fn.encode(args);
      if (encoded instanceof Promise) {
        encoded.then((args) => this.#push(kind, call, args)).catch((error: unknown) => call.fail(decodeError(error)));
      } else this.#push(kind, call, encoded);
    } catch (error) {
      call.fail(decodeError(error));
    }
    return call;
  }

  /** What all calls of a function have in common, as the template of their set. */
  template(fn: DefinedFunction, options: FunctionOptions = {}): TaskEntry {
    const { reference, interpreter } = asDefined(fn);
    const call = { function: reference, ...(interpreter === undefined ? {} : { interpreter }) };
    return { ...toEntry({ ...fn.options, ...options }), call };
  }

  /** Closes the sets, as far as the connection stands; their calls run on, but nobody here hears of them any more. */
  async close(reason: PilothouseError): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    const sets = [...this.#live];
    for (const set of sets) set.retire();
    if (sets.length > 0 && this.#core.connector.state.value.state === 'CONNECTED') {
      const patience = new AbortController();
      await Promise.race([Promise.all(sets.map((set) => set.closed)), pause(CLOSE_MS, patience.signal)]);
      patience.abort();
    }
    for (const set of sets) set.end(reason);
  }

  #kindOf(fn: DefinedFunction): Kind {
    const known = this.#kinds.get(fn);
    if (known) return known;
    const template = this.template(fn);
    const made = { key: JSON.stringify(template), name: setName(fn), template };
    this.#kinds.set(fn, made);
    return made;
  }

  #push(kind: Kind, call: CallHandle<unknown>, { json, size }: EncodedArguments): void {
    call.entry = { args: { json } };
    call.size = size;
    this.#append(kind, call);
  }

  #append(kind: Kind, call: CallHandle<unknown>): void {
    const known = this.#sets.get(kind.key);
    if (known && known.set.size >= CALLS) known.set.retire();
    const kept = this.#sets.get(kind.key) ?? this.#open(kind);
    kept.used = performance.now();
    kept.set.push(call);
  }

  #open(kind: Kind): Kept {
    const { key, name, template } = kind;
    const set: CallSet = new CallSet(
      this.#core,
      { template, ...(name === undefined ? {} : { name }) },
      {
        rehome: (calls) => {
          for (const call of calls) this.#append(kind, call);
        },
        retired: () => {
          if (this.#sets.get(key)?.set === set) this.#sets.delete(key);
        },
        ended: () => this.#live.delete(set),
      },
    );
    const kept = { set, used: performance.now() };
    this.#sets.set(key, kept);
    this.#live.add(set);
    this.#timer ??= setInterval(() => this.#retireIdle(), IDLE_MS);
    return kept;
  }

  #retireIdle(): void {
    const now = performance.now();
    for (const { set, used } of [...this.#sets.values()]) if (set.idle && now - used >= IDLE_MS) set.retire();
    if (this.#sets.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}

/** The function's name where it can be the name of a set. */
export function setName({ name }: DefinedFunction): string | undefined {
  const plain = name.replace(/[^A-Za-z0-9._-]/g, '-').replace(/^[._-]+/, '');
  return plain === '' ? undefined : plain.slice(0, 63);
}
