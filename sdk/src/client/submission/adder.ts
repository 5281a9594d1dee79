import { PilothouseError } from '../../errors/index.js';
import type { TaskEntry } from '../../schemas/index.js';
import type { Caller } from '../caller.js';
import { decodeError } from '../decode-error.js';
import type { Many } from '../types.js';
import { PieceQueue } from './piece-queue.js';
import { cutPieces } from './pieces.js';

/** Pieces under way at once: enough that neither side waits for the other. */
const UNDER_WAY = 4;

/**
 * Adds tasks to one set, several pieces under way at once, each repeated when the connection breaks under it. Each says at
 * which number it begins, so that none is added twice.
 */
export class Adder {
  readonly #caller: Caller;
  readonly #set: { readonly id: string; readonly name: string };
  readonly #signal: AbortSignal;
  readonly #underWay = new Set<Promise<void>>();
  #previous: Promise<void> = Promise.resolve();
  #next: number;
  #taken: number;
  #failure: PilothouseError | null = null;

  /** @param from - how many tasks the set has */
  constructor(caller: Caller, set: { readonly id: string; readonly name: string }, from: number, signal: AbortSignal) {
    this.#caller = caller;
    this.#set = set;
    this.#signal = signal;
    this.#next = from;
    this.#taken = from;
  }

  /** Tasks that are durable. */
  get taken(): number {
    return this.#taken;
  }

  /** Adds all, as they come; resolves when they are durable. */
  async addAll(source: Many<TaskEntry>, close: boolean): Promise<void> {
    if (Symbol.asyncIterator in source) {
      await this.#addAsTheyCome(source);
      if (close) await this.#send([], true);
    } else {
      for (const { tasks, last } of cutPieces(source)) {
        if (tasks.length > 0 || close) await this.#send(tasks, last && close);
      }
    }
    await this.#settled();
  }

  async #addAsTheyCome(source: AsyncIterable<TaskEntry>): Promise<void> {
    const queue = new PieceQueue();
    const sending = this.#sendFrom(queue);
    // Looked at below; until then nobody waits for it.
    sending.catch((error: unknown) => queue.stop(error));
    try {
      for await (const entry of source) await queue.put(entry);
    } finally {
      queue.end();
    }
    await sending;
  }

  async #sendFrom(queue: PieceQueue): Promise<void> {
    for (let piece = await queue.take(); piece !== null; piece = await queue.take()) await this.#send(piece, false);
  }

  /** Resolves when the next may be sent. */
  async #send(tasks: TaskEntry[], close: boolean): Promise<void> {
    while (this.#underWay.size >= UNDER_WAY && !this.#failure) await Promise.race(this.#underWay);
    if (this.#failure) throw this.#failure;
    const from = this.#next;
    this.#next += tasks.length;
    const previous = this.#previous;
    const sent = this.#add(from, tasks, close, previous).then(
      () => {
        this.#taken = Math.max(this.#taken, from + tasks.length);
      },
      (error: unknown) => {
        this.#failure ??= located(decodeError(error), from);
      },
    );
    this.#previous = sent;
    this.#underWay.add(sent);
    void sent.finally(() => this.#underWay.delete(sent));
  }

  async #add(from: number, tasks: TaskEntry[], close: boolean, previous: Promise<void>): Promise<void> {
    const add = () =>
      this.#caller.call(`adding tasks to ${this.#set.name}`, { signal: this.#signal }, (api, signal) =>
        api.sets.add({ set: this.#set.id, from, tasks, close }, { signal }),
      );
    try {
      await add();
    } catch (error) {
      const decoded = decodeError(error);
      if (decoded.field !== 'from') throw decoded;
      // It overtook the piece before it, when both were sent once more over a new connection.
      await previous;
      if (this.#failure) throw this.#failure;
      await add();
    }
  }

  async #settled(): Promise<void> {
    await Promise.all(this.#underWay);
    if (this.#failure) throw this.#failure;
  }
}

/** `tasks.3.cores` of a piece is `descriptions.4003.cores` of them all. */
function located(error: PilothouseError, from: number): PilothouseError {
  const place = /^tasks\.(\d+)/.exec(error.field ?? '');
  if (!place || error.field === undefined) return error;
  const rename = (text: string) => text.replace(place[0], `descriptions.${from + Number(place[1])}`);
  return new PilothouseError(error.code, rename(error.message), {
    ...error.toJSON(),
    field: rename(error.field),
    hint: error.hint === undefined ? undefined : rename(error.hint),
    cause: error,
  });
}
