import { type AnswerRecord, type Chunk, type Reason, type RequestState, requestStates } from '@pilothouse/sdk/internal';
import type { Wakeup } from '../../streams/wakeup.js';

/** A piece of an answer, and when the bridge read it by the wall clock (null once the bridge has been started anew). */
export interface KeptChunk extends Chunk {
  readonly readAt: number | null;
  /** Characters of text and data. */
  readonly size: number;
}

/**
 * One request and its answer in memory: the record, every piece of text, and those who follow it. Changes go through
 * `enter`, `note` and `take`; whoever follows is woken by each.
 */
export class KeptAnswer {
  readonly key: string;
  /** Characters of what was asked. */
  readonly promptLength: number;
  /** Views in cells that have not written their final bundle yet. */
  readonly views = new Set<string>();
  readonly #chunks: KeptChunk[] = [];
  readonly #followers = new Set<Wakeup>();
  #record: AnswerRecord;
  /** What came back where that is not text; kept beside the record, which travels whenever it changes. */
  #value: unknown;
  #valueSize = 0;
  #text: string[] = [];
  #length = 0;
  #version = 0;

  constructor(key: string, record: AnswerRecord, chunks: readonly Chunk[] = []) {
    this.key = key;
    this.promptLength = JSON.stringify(record.request).length;
    this.#record = { ...record, text: null, value: null };
    this.#setValue(record.value);
    this.append(chunks);
  }

  get id(): string {
    return this.#record.id;
  }

  /** Without its text and value. */
  get record(): AnswerRecord {
    return { ...this.#record, chunks: this.#chunks.length };
  }

  /** With its text and value. */
  get whole(): AnswerRecord {
    return { ...this.record, text: this.text, value: this.#value };
  }

  get chunks(): readonly KeptChunk[] {
    return this.#chunks;
  }

  /** Number of the last change of the record, for followers; new chunks do not count. */
  get version(): number {
    return this.#version;
  }

  get text(): string {
    // Joined once per look, then kept as one piece: looks are rare, pieces are many.
    if (this.#text.length > 1) this.#text = [this.#text.join('')];
    return this.#text[0] ?? '';
  }

  /** Characters of text, data and value. */
  get length(): number {
    return this.#length + this.#valueSize;
  }

  get isFinal(): boolean {
    return requestStates.isFinal(this.#record.state);
  }

  /** Enters a state, with what else is known by now. */
  enter(state: RequestState, t: string, { value, ...fields }: Partial<AnswerRecord> = {}): void {
    const final = requestStates.isFinal(state);
    if (value !== undefined) this.#setValue(value);
    this.#record = {
      ...this.#record,
      reason: null,
      ...fields,
      state,
      since: t,
      times: { ...this.#record.times, [state]: t },
      endedAt: final ? t : null,
    };
    this.#changed();
  }

  /** Takes the number of its last change in the picture, so that records from here and from there can be ordered. */
  numbered(seq: number): void {
    this.#record = { ...this.#record, seq };
  }

  /** Says why it waits. Returns false when that was known. */
  note(reason: Reason): boolean {
    if (this.#record.reason?.text === reason.text) return false;
    this.#record = { ...this.#record, reason };
    this.#changed();
    return true;
  }

  /** An instance was asked in vain, and another is asked. */
  failedAt(attempt: AnswerRecord['attempts'][number]): void {
    this.#record = { ...this.#record, attempts: [...this.#record.attempts, attempt] };
    this.#changed();
  }

  /** Takes a piece that was just read, by the wall clock in milliseconds. */
  take(chunk: Chunk, readAt: number): void {
    this.#add({ ...chunk, readAt, size: sizeOf(chunk) });
    for (const follower of this.#followers) follower.wake();
  }

  /** Adds pieces from a log. */
  append(chunks: readonly Chunk[]): void {
    for (const chunk of chunks) this.#add({ ...chunk, readAt: null, size: sizeOf(chunk) });
  }

  /** Wakes `follower` at every change; returns the way to stop. */
  follow(follower: Wakeup): () => void {
    this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  }

  #add(chunk: KeptChunk): void {
    this.#chunks.push(chunk);
    this.#text.push(chunk.text);
    this.#length += chunk.size;
  }

  #setValue(value: unknown): void {
    this.#value = value ?? null;
    this.#valueSize = value === undefined || value === null ? 0 : JSON.stringify(value).length;
  }

  #changed(): void {
    this.#version += 1;
    for (const follower of this.#followers) follower.wake();
  }
}

/** A piece as it crosses wires and lies in logs. */
export function plainChunk({ text, at, data }: Chunk): Chunk {
  return data === undefined ? { text, at } : { text, at, data };
}

function sizeOf({ text, data }: Chunk): number {
  return data === undefined ? text.length : text.length + JSON.stringify(data).length;
}
