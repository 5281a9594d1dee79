import { Observable, ReplaySubject } from 'rxjs';
import { PilothouseError } from '../../errors/index.js';
import type { AnswerRecord, Chunk, ChunkBatch } from '../../schemas/index.js';
import { abortable } from '../deadline.js';
import { decodeError } from '../decode-error.js';
import { isFinal } from '../picture/final.js';
import { creditStream } from '../streams/credit-stream.js';
import type { Core, OnClosed } from './core.js';
import { goneError } from './failures.js';

/**
 * Reads one answer from its first chunk on and keeps it, so that everybody who looks (a late subscriber too) gets all of
 * it. Reading starts with the first look and goes on across lost connections from the last chunk consumed.
 */
export class AnswerReader {
  readonly #core: Core;
  readonly #submitted: () => Promise<string>;
  readonly #onClosed: OnClosed;
  readonly #chunks: Chunk[] = [];
  readonly #chunkSubject = new ReplaySubject<Chunk>();
  readonly #textSubject = new ReplaySubject<string>(1);
  readonly #readers = new Set<() => void>();
  #text = '';
  #final: AnswerRecord | null = null;
  #failure: unknown;
  #state: 'unread' | 'reading' | 'ended' | 'failed' = 'unread';

  /** @param submitted - the answer's id, once it has one; rejects when the question could not be asked */
  constructor(core: Core, submitted: () => Promise<string>, onClosed: OnClosed) {
    this.#core = core;
    this.#submitted = submitted;
    this.#onClosed = onClosed;
  }

  get text(): string {
    this.#start();
    return this.#text;
  }

  get chunks$(): Observable<Chunk> {
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
  async *iterate(signal?: AbortSignal): AsyncGenerator<Chunk, void, void> {
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

  /** The final record, once every chunk has been read; rejects when the answer failed. */
  async finished(signal: AbortSignal): Promise<AnswerRecord> {
    this.#start();
    while (this.#state === 'reading') await abortable(this.#change(), signal);
    if (this.#final === null || this.#state === 'failed') throw this.#failure;
    return this.#final;
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
    const id = await abortable(this.#submitted(), signal);
    const batches = creditStream<ChunkBatch>(
      this.#core.connector,
      (api, flow, abort) => api.answers.follow({ id, from: this.#chunks.length, ...flow }, { signal: abort }),
      { signal, finished: () => this.#final !== null },
    );
    for await (const batch of batches) this.#take(batch);
    if (this.#final && this.#final.state !== 'DONE') throw goneError(this.#final);
  }

  #take({ from, chunks, answer }: ChunkBatch): void {
    const have = this.#chunks.length;
    if (from > have) {
      throw new PilothouseError('INTERNAL', `The answer goes on at chunk ${from}, but ${have} was to come.`, {
        hint: 'Ask for it again with session.answers.get(); please report this.',
      });
    }
    for (const chunk of chunks.slice(have - from)) {
      this.#chunks.push(chunk);
      this.#text += chunk.text;
      this.#chunkSubject.next(chunk);
    }
    if (this.#chunks.length > have) this.#textSubject.next(this.#text);
    if (answer) {
      if (isFinal(answer)) this.#final = answer;
      this.#core.store.answers.put(answer);
    }
    this.#tell();
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
