import type { PilothouseError } from '../../errors/index.js';
import type { TaskEntry, TaskSetDescription, TaskSetRecord } from '../../schemas/index.js';
import { decodeError } from '../decode-error.js';
import type { Core } from '../handles/core.js';
import { readOutcomes } from '../handles/set-results.js';
import type { RecordCell } from '../picture/record-cell.js';
import { PIECE_LENGTH, PIECE_TASKS } from '../submission/pieces.js';
import type { CallHandle } from './call-handle.js';

/** Pieces under way at once; what is called meanwhile gathers, so that pieces grow with the load. */
const UNDER_WAY = 4;

export interface CallSetOptions {
  /** Takes over calls that this set could not take. */
  readonly rehome: (calls: readonly CallHandle<unknown>[]) => void;
  /** It takes no more. */
  readonly retired: () => void;
  /** It has told all who waited. */
  readonly ended: () => void;
}

/**
 * One open set of calls of one function. What is called in one turn travels as one piece, numbered by us, so that a piece
 * repeated after a lost connection adds nothing twice; results come back over one stream.
 */
export class CallSet {
  /** Resolves when the set is closed, or cannot be; never rejects. */
  readonly closed: Promise<void>;
  readonly #core: Core;
  readonly #description: TaskSetDescription;
  readonly #options: CallSetOptions;
  readonly #stop = new AbortController();
  /** Sent, without a result yet, by number. */
  readonly #live = new Map<number, CallHandle<unknown>>();
  #cell: RecordCell<TaskSetRecord> | null = null;
  #opening = false;
  #queue: CallHandle<unknown>[] = [];
  #next = 0;
  #underWay = 0;
  #flushing = false;
  #retired = false;
  #closing = false;
  #ended = false;
  #settleClosed: () => void = () => undefined;

  constructor(core: Core, description: TaskSetDescription, options: CallSetOptions) {
    this.#core = core;
    this.#description = description;
    this.#options = options;
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
  }

  /** Calls that it has taken. */
  get size(): number {
    return this.#next + this.#queue.length;
  }

  /** Nobody waits for it. */
  get idle(): boolean {
    return this.#live.size === 0 && this.#queue.length === 0;
  }

  push(call: CallHandle<unknown>): void {
    this.#queue.push(call);
    if (!this.#opening) {
      this.#opening = true;
      void this.#open();
    } else if (!this.#flushing) {
      // At the end of this turn, when all calls of it are there.
      this.#flushing = true;
      queueMicrotask(() => {
        this.#flushing = false;
        this.#flush();
      });
    }
  }

  /** Takes no more, and is closed behind what it has; ends after the last result. */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    this.#options.retired();
    this.#flush();
  }

  /** The session is closed: nobody hears of results any more. */
  end(reason: PilothouseError): void {
    this.#stop.abort(reason);
    this.#failAll(reason);
  }

  /** Never rejects: who waits for a result is told. */
  async #open(): Promise<void> {
    const submission = this.#core.caller.submission();
    const description = this.#description;
    const { signal } = this.#stop;
    try {
      const record = await this.#core.caller.call('opening a set of calls', { signal }, (api, abort) =>
        api.sets.open({ description, ...submission }, { signal: abort }),
      );
      this.#cell = this.#core.store.sets.put(record);
      this.#flush();
      await this.#read(record.id);
      this.#over();
    } catch (error) {
      this.#closing = true;
      this.retire();
      this.#settleClosed();
      this.#failAll(decodeError(signal.aborted ? signal.reason : error));
    }
  }

  /**
   * The set has ended: closed by us, or canceled by somebody. What it has not taken goes into another, here or, where a
   * piece is under way, when that is refused.
   */
  #over(): void {
    this.#ended = true;
    this.#closing = true;
    this.retire();
    this.#settleClosed();
    this.#options.rehome(this.#queue.splice(0));
    this.#options.ended();
  }

  async #read(set: string): Promise<void> {
    for await (const outcomes of readOutcomes(this.#core, set, 0, this.#stop.signal)) {
      for (const outcome of outcomes) {
        const call = this.#live.get(outcome.number);
        this.#live.delete(outcome.number);
        call?.settle(outcome);
      }
    }
  }

  #flush(): void {
    const set = this.#cell?.record;
    if (!set || this.#stop.signal.aborted) return;
    while (this.#queue.length > 0 && this.#underWay < UNDER_WAY) this.#send(set.id, this.#piece());
    if (!this.#retired || this.#closing || this.#queue.length > 0) return;
    this.#closing = true;
    this.#send(set.id, []);
  }

  #piece(): CallHandle<unknown>[] {
    let count = 0;
    let length = 0;
    for (const { size } of this.#queue) {
      length += size;
      if (count > 0 && (count === PIECE_TASKS || length > PIECE_LENGTH)) break;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  /** Without calls: closes the set. */
  #send(set: string, calls: readonly CallHandle<unknown>[]): void {
    const from = this.#next;
    this.#next += calls.length;
    const tasks: TaskEntry[] = [];
    calls.forEach((call, index) => {
      call.place(set, from + index);
      this.#live.set(from + index, call);
      if (call.entry) tasks.push(call.entry);
    });
    this.#underWay += 1;
    const close = calls.length === 0;
    this.#core.caller
      .call('sending calls', { signal: this.#stop.signal }, (api, signal) =>
        api.sets.add({ set, from, tasks, close }, { signal }),
      )
      .then(
        () => {
          for (const call of calls) call.taken();
        },
        (error: unknown) => this.#refused(set, calls, from, decodeError(error)),
      )
      .finally(() => {
        this.#underWay -= 1;
        if (close) this.#settleClosed();
        this.#flush();
      });
  }

  /**
   * A piece was not taken: its calls fail. Those sent after it leave a gap before them and are refused for that; with what
   * waits still they go into another set, as does everything that a set canceled by somebody could not take.
   */
  #refused(set: string, calls: readonly CallHandle<unknown>[], from: number, error: PilothouseError): void {
    for (const index of calls.keys()) this.#live.delete(from + index);
    const waiting = this.#queue;
    this.#queue = [];
    const first = !this.#closing;
    this.#closing = true;
    this.retire();
    const elsewhere = error.field === 'from' || this.#ended || this.#cell?.record.open === false;
    if (elsewhere && !this.#stop.signal.aborted) this.#options.rehome(calls);
    else for (const call of calls) call.fail(error);
    this.#options.rehome(waiting);
    if (first) this.#closeAsItIs(set);
  }

  #closeAsItIs(set: string): void {
    this.#core.caller
      .call('closing a set of calls', { signal: this.#stop.signal }, (api, signal) =>
        api.sets.add({ set, from: 0, tasks: [], close: true }, { signal }),
      )
      // A set that cannot be closed is lost or closed already; whoever called has been told.
      .catch(() => undefined)
      .finally(() => this.#settleClosed());
  }

  #failAll(error: PilothouseError): void {
    const calls = [...this.#live.values(), ...this.#queue];
    this.#live.clear();
    this.#queue = [];
    for (const call of calls) call.fail(error);
    this.#options.ended();
  }
}
