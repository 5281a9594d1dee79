import type { ChunkBatch } from '@pilothouse/sdk/internal';
import type { BatchSource } from '../../streams/stream.js';
import { Wakeup } from '../../streams/wakeup.js';
import { type KeptAnswer, type KeptChunk, plainChunk } from './kept-answer.js';

/** Chunks and characters of one batch: far under the 8 MiB of a message. */
const MAX_CHUNKS = 2_000;
const MAX_CHARACTERS = 512 * 1024;

/**
 * An answer for one follower: every chunk from a number on, in order, each once. A batch holds what is there when it is
 * asked for, so a quick follower gets each token by itself and a slow one gets them together; nothing waits for more.
 */
export class FollowSource implements BatchSource<ChunkBatch> {
  readonly #answer: KeptAnswer;
  readonly #wakeup = new Wakeup();
  readonly #unfollow: () => void;
  #next: number;
  #version = -1;
  #ended = false;

  /** @param from - number of the first chunk wanted; where fewer were kept, it goes on from what there is */
  constructor(answer: KeptAnswer, from: number) {
    this.#answer = answer;
    this.#next = Math.min(from, answer.chunks.length);
    this.#unfollow = answer.follow(this.#wakeup);
  }

  async next(signal: AbortSignal): Promise<ChunkBatch | null> {
    if (this.#ended) return null;
    const answer = this.#answer;
    while (this.#next >= answer.chunks.length && this.#version === answer.version) await this.#wakeup.wait(signal);
    const from = this.#next;
    const chunks: KeptChunk[] = [];
    for (let size = 0; chunks.length < MAX_CHUNKS && size < MAX_CHARACTERS; ) {
      const chunk = answer.chunks[from + chunks.length];
      if (chunk === undefined) break;
      chunks.push(chunk);
      size += chunk.size;
    }
    this.#next = from + chunks.length;
    const complete = this.#next === answer.chunks.length;
    // The final record goes with the last chunks and never before them.
    const tells = this.#version !== answer.version && (complete || !answer.isFinal);
    if (tells) {
      this.#version = answer.version;
      this.#ended = answer.isFinal;
    }
    return {
      from,
      next: this.#next,
      chunks: chunks.map(plainChunk),
      answer: tells ? (answer.isFinal ? answer.whole : answer.record) : null,
      readAt: chunks[0]?.readAt ?? null,
    };
  }

  close(): void {
    this.#unfollow();
  }
}
