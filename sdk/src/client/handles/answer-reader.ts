import { Observable, ReplaySubject } from 'rxjs';
import { PilothouseError } from '../../errors/index.js';
import type { AnswerRecord, Chunk, ChunkBatch } from '../../schemas/index.js';
import type { AnswerChunk } from '../answer-types.js';
import { abortable } from '../deadline.js';
import { decodeError } from '../decode-error.js';
import { isFinal } from '../picture/final.js';
import { creditStream } from '../streams/credit-stream.js';
import type { Core, OnClosed } from './core.js';
import type { DirectRun } from './direct-run.js';
import { goneError } from './failures.js';

/** How an answer comes: kept by the bridge under its id, or straight from an instance. */
export type AnswerRoute = { readonly id: string } | { readonly run: DirectRun };

/**
 * Reads one answer from its first chunk on and keeps it, so that everybody who looks (a late subscriber too) gets all of
 * it. Reading starts with the first look and goes on across lost connections from the last chunk consumed.
 */
export class AnswerReader<D> {
  readonly #core: Core;
  readonly #submitted: () => Promise<AnswerRoute>;
  readonly #decode: (data: unknown) => D | Promise<D>;
  readonly #onClosed: OnClosed;
  readonly #chunks: AnswerChunk<D>[] = [];
  readonly #chunkSubject = new ReplaySubject<AnswerChunk<D>>();
  readonly #textSubject = new ReplaySubject<string>(1);
  readonly #readers = new Set<() => void>();
  #text = '';
  #final: AnswerRecord | null = null;
  #failure: unknown;
  #state: 'unread' | 'reading' | 'ended' | 'failed' = 'unread';

  /**
   * @param submitted - how the answer comes, once that is known; rejects when the question could not be asked
   * @param decode - reads what comes where that is not text
   */
  constructor(
    core: Core,
    submitted: () => Promise<AnswerRoute>,
    decode: (data: unknown) => D | Promise<D>,
    onClosed: OnClosed,
  ) {
    this.#core = core;
    this.#submitted = submitted;
    this.#decode = decode;
    this.#onClosed = onClosed;
  }

  get text(): string {
    this.#start();
    return this.#text;
  }

  get chunks$(): Observable<AnswerChunk<D>> {
    return new Observable((subscriber) => {
      this.#start();
      return this.#chunkSubject.subscribe(subscriber);
    });
  }

  get text$(): Observable<string> {
    return new Observable((subscriber) => {
      this.#start();
      return this.#textSubject.subscribe(subscriber);
    });
  }

  /** Every chunk, waiting for those to come; throws when the answer fails. */
  async *iterate(signal?: AbortSignal): AsyncGenerator<AnswerChunk<D>, void, void> {
    this.#start();
    for (let index = 0; ; index += 1) {
      signal?.throwIfAborted();
      while (index >= this.#chunks.length && this.#state === 'reading') {
        await (signal ? abortable(this.#change(), signal) : this.#change());
      }
      const chunk = this.#chunks[index];
      if (chunk) yield chunk;
      else if (this.#state === 'failed') throw this.#failure;
      else return;
    }
  }

  /** The final record with the text, once every chunk has been read; rejects when the answer failed. */
  async finished(): Promise<{ readonly record: AnswerRecord; readonly text: string }> {
    this.#start();
    while (this.#state === 'reading') await this.#change();
    if (this.#final === null || this.#state === 'failed') throw this.#failure;
    return { record: this.#final, text: this.#text };
  }

  #start(): void {
    if (this.#state !== 'unread') return;
    this.#state = 'reading';
    const stop = new AbortController();
    const leave = this.#onClosed((reason) => stop.abort(reason));
    this.#read(stop.signal)
      .then(
        () => this.#end(undefined),
        (error: unknown) => this.#end(stop.signal.aborted ? stop.signal.reason : decodeError(error)),
      )
      .finally(leave);
  }

  async #read(signal: AbortSignal): Promise<void> {
    const route = await abortable(this.#submitted(), signal);
    for await (const batch of this.#batches(route, signal)) {
      await this.#take(batch);
      if (batch.answer && 'id' in route) this.#core.store.answers.put(batch.answer);
      this.#tell();
    }
    if (this.#final && this.#final.state !== 'DONE') throw goneError(this.#final);
  }

  #batches(route: AnswerRoute, signal: AbortSignal): AsyncIterable<ChunkBatch> {
    if ('run' in route) return route.run.follow(signal);
    const { id } = route;
    return creditStream<ChunkBatch>(
      this.#core.connector,
      (api, flow, abort) => api.answers.follow({ id, from: this.#chunks.length, ...flow }, { signal: abort }),
      { signal, finished: () => this.#final !== null },
    );
  }

  async #take({ from, chunks, answer }: ChunkBatch): Promise<void> {
    const have = this.#chunks.length;
    if (from > have) {
      throw new PilothouseError('INTERNAL', `The answer goes on at chunk ${from}, but ${have} was to come.`, {
        hint: 'Ask for it again with session.answers.get(); please report this.',
      });
    }
    for (const chunk of chunks.slice(have - from)) {
      const read = await this.#readChunk(chunk);
      this.#chunks.push(read);
      this.#text += read.text;
      this.#chunkSubject.next(read);
    }
    if (this.#chunks.length > have) this.#textSubject.next(this.#text);
    if (answer && isFinal(answer)) this.#final = answer;
  }

  /** Not a promise where there is nothing to wait for: most chunks are text, and come by the hundred. */
  #readChunk(chunk: Chunk): AnswerChunk<D> | Promise<AnswerChunk<D>> {
    const { data, ...rest } = chunk;
    if (data === undefined) return rest;
    const read = this.#decode(data);
    return read instanceof Promise ? read.then((value) => ({ ...rest, data: value })) : { ...rest, data: read };
  }

  #end(failure: unknown): void {
    this.#state = failure === undefined ? 'ended' : 'failed';
    this.#failure = failure;
    this.#tell();
    for (const subject of [this.#chunkSubject, this.#textSubject]) {
      if (failure === undefined) subject.complete();
      else subject.error(failure);
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#readers.add(resolve));
  }

  #tell(): void {
    const readers = [...this.#readers];
    this.#readers.clear();
    for (const resolve of readers) resolve();
  }
}
