import { type Chunk, PilothouseError } from '@pilothouse/sdk/internal';
import type { Clock } from '../../clock.js';
import type { Logger } from '../../logger.js';
import { Throttle } from '../../router/throttle.js';
import type { CallEntry, CallRecord } from './call-records.js';
import { CallsLog } from './calls-log.js';
import { KeptAnswer, plainChunk } from './kept-answer.js';
import { expired, isCurrent } from './retention.js';

/** Milliseconds that chunks may wait for their place in the log. */
const CHUNK_DELAY = 80;
/** Bytes after which the log is written anew without what is no longer kept. */
const REWRITE_AT = 64 * 1024 * 1024;
/** Files of earlier epochs after which they are gathered into one. */
const EARLIER_FILES = 8;
/** Milliseconds between two looks for answers whose time is over. */
const SWEEP = 10 * 60_000;

/** The answers that are kept, in memory and in the calls log. */
export class AnswerArchive {
  readonly #log: CallsLog;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onLeave: (id: string) => void;
  readonly #answers = new Map<string, KeptAnswer>();
  /** Chunks of each running answer that stand in the log already. */
  readonly #written = new Map<string, number>();
  readonly #unwritten: Throttle<string>;
  #sweep: NodeJS.Timeout | undefined;

  /** @param onLeave - called for each answer that leaves the lists: it is history from then on, or no longer kept */
  constructor(home: string, epoch: number, clock: Clock, logger: Logger, onLeave: (id: string) => void) {
    this.#log = new CallsLog(home, epoch, clock);
    this.#clock = clock;
    this.#logger = logger;
    this.#onLeave = onLeave;
    this.#unwritten = new Throttle(CHUNK_DELAY, (ids) => this.#writeChunks(ids));
  }

  get(id: string): KeptAnswer | undefined {
    return this.#answers.get(id);
  }

  all(): IterableIterator<KeptAnswer> {
    return this.#answers.values();
  }

  /**
   * Reads what earlier bridges kept. Answers that were running when theirs ended are over: they keep the text so far.
   *
   * @throws PilothouseError LOG_DAMAGED
   */
  async load(): Promise<void> {
    for await (const record of this.#log.read()) this.#replay(record);
    const t = this.#clock.iso();
    const cut: CallEntry[] = [];
    for (const answer of this.#answers.values()) {
      if (answer.isFinal) continue;
      answer.enter('FAILED', t, { error: restarted(answer.id).toJSON() });
      cut.push(endedEntry(answer));
    }
    if (cut.length > 0) await this.#log.append(cut, true);
    for (const answer of expired(this.#answers.values(), this.#clock.now())) this.#answers.delete(answer.id);
    const earlier = await this.#log.earlier();
    if (earlier.bytes > REWRITE_AT || earlier.files > EARLIER_FILES) await this.#rewrite();
    if (this.#answers.size > 0) this.#planSweep();
  }

  /** Keeps a new answer; on disk when it resolves. */
  async add(answer: KeptAnswer): Promise<void> {
    this.#answers.set(answer.id, answer);
    this.#written.set(answer.id, 0);
    try {
      await this.#log.append([{ type: 'request', key: answer.key, answer: answer.record }], true);
    } catch (error) {
      this.#answers.delete(answer.id);
      this.#written.delete(answer.id);
      throw error;
    }
    this.#planSweep();
  }

  started(answer: KeptAnswer, instance: { id: string; index: number }): void {
    this.#later([{ type: 'started', id: answer.id, at: answer.record.since, instance }]);
  }

  /** There are chunks that the log does not have yet. */
  grew(answer: KeptAnswer): void {
    this.#unwritten.mark(answer.id);
  }

  /** Writes the end, and whatever text was not written yet; on disk when it resolves. */
  async end(answer: KeptAnswer, entry: Extract<CallEntry, { type: 'ended' }>): Promise<void> {
    this.#unwritten.unmark(answer.id);
    const chunks = this.#takeUnwritten(answer);
    this.#written.delete(answer.id);
    await this.#log.append(chunks === null ? [entry] : [chunks, entry], true);
    if (this.#log.size > REWRITE_AT) this.#background(this.#rewrite());
  }

  /** A cell shows it, or has written its final bundle. */
  viewed(id: string, view: string, confirmed: boolean): void {
    const answer = this.#answers.get(id);
    if (answer === undefined || answer.views.has(view) !== confirmed) return;
    if (confirmed) answer.views.delete(view);
    else answer.views.add(view);
    this.#later([{ type: 'viewed', id, view, confirmed }]);
  }

  drop(id: string): void {
    if (!this.#answers.delete(id)) return;
    this.#later([{ type: 'dropped', id }]);
    this.#onLeave(id);
  }

  /** Writes what waits, then closes the log. */
  async close(): Promise<void> {
    clearTimeout(this.#sweep);
    this.#unwritten.now();
    await this.#log.close();
  }

  #replay(record: CallRecord): void {
    if (record.type === 'rewritten') return;
    if (record.type === 'request' || record.type === 'kept') {
      const answer = new KeptAnswer(record.key, record.answer, record.type === 'kept' ? record.chunks : []);
      for (const view of record.type === 'kept' ? record.views : []) answer.views.add(view);
      this.#answers.set(answer.id, answer);
      return;
    }
    const answer = this.#answers.get(record.id);
    if (answer === undefined) return;
    switch (record.type) {
      case 'started':
        answer.enter('STREAMING', record.at, { instance: record.instance });
        break;
      case 'chunks':
        answer.append(record.chunks.slice(Math.max(0, answer.chunks.length - record.from)));
        break;
      case 'ended': {
        const { state, at, finishReason, usage, timing, model, revision, value, attempts, error } = record;
        answer.enter(state, at, { finishReason, usage, timing, model, revision, value, attempts, error });
        break;
      }
      case 'viewed':
        if (record.confirmed) answer.views.delete(record.view);
        else answer.views.add(record.view);
        break;
      case 'dropped':
        this.#answers.delete(record.id);
    }
  }

  #writeChunks(ids: ReadonlySet<string>): void {
    const entries: CallEntry[] = [];
    for (const id of ids) {
      const answer = this.#answers.get(id);
      const entry = answer === undefined ? null : this.#takeUnwritten(answer);
      if (entry !== null) entries.push(entry);
    }
    if (entries.length > 0) this.#later(entries);
  }

  #takeUnwritten(answer: KeptAnswer): CallEntry | null {
    const from = this.#written.get(answer.id) ?? answer.chunks.length;
    if (from >= answer.chunks.length) return null;
    this.#written.set(answer.id, answer.chunks.length);
    return { type: 'chunks', id: answer.id, from, chunks: plain(answer, from) };
  }

  async #rewrite(): Promise<void> {
    const kept: CallEntry[] = [];
    for (const answer of this.#answers.values()) {
      if (this.#written.has(answer.id)) this.#written.set(answer.id, answer.chunks.length);
      const { key, whole, views } = answer;
      kept.push({ type: 'kept', key, answer: { ...whole, text: null }, chunks: plain(answer, 0), views: [...views] });
    }
    await this.#log.rewrite(kept);
  }

  #planSweep(): void {
    this.#sweep ??= setTimeout(() => {
      this.#sweep = undefined;
      const now = this.#clock.now();
      for (const answer of expired(this.#answers.values(), now)) this.drop(answer.id);
      for (const answer of this.#answers.values()) if (!isCurrent(answer, now)) this.#onLeave(answer.id);
      if (this.#answers.size > 0) this.#planSweep();
    }, SWEEP).unref();
  }

  /** Records whose loss in a crash costs no more than the text of a moment. */
  #later(entries: CallEntry[]): void {
    this.#background(this.#log.append(entries, false));
  }

  #background(work: Promise<void>): void {
    work.catch((error: unknown) => this.#logger.error('the calls log cannot be written', error));
  }
}

/** The record of an answer's end. */
export function endedEntry(answer: KeptAnswer): Extract<CallEntry, { type: 'ended' }> {
  const { id, state, since: at, finishReason, usage, timing, model, revision, value, attempts, error } = answer.whole;
  return { type: 'ended', id, at, state, finishReason, usage, timing, model, revision, value, attempts, error };
}

function plain(answer: KeptAnswer, from: number): Chunk[] {
  return answer.chunks.slice(from).map(plainChunk);
}

/** What becomes of an answer whose bridge ended. */
export function restarted(id: string): PilothouseError {
  return new PilothouseError('BRIDGE_RESTARTED', 'Pilothouse was started anew while this answer was under way', {
    hint: 'Ask again with Retry; what came so far is kept.',
    ids: { answer: id },
  });
}
