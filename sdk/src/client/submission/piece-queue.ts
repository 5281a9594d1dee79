import type { TaskEntry } from '../../schemas/index.js';
import { lengthOf, PIECE_LENGTH, PIECE_TASKS } from './pieces.js';

/**
 * Between a source whose tasks come one by one and a sender that wants pieces: hands out whatever is there, so that
 * pieces grow by themselves while others are under way, and a slow source holds nothing back.
 */
export class PieceQueue {
  #entries: TaskEntry[] = [];
  #sizes: number[] = [];
  #length = 0;
  #ended = false;
  #failure: unknown = null;
  #wakeTaker: () => void = () => undefined;
  #wakePutter: () => void = () => undefined;

  /** Waits where a whole piece waits already; throws when nobody takes any more. */
  async put(entry: TaskEntry): Promise<void> {
    while (this.#failure === null && (this.#entries.length >= PIECE_TASKS || this.#length >= PIECE_LENGTH)) {
      await new Promise<void>((resolve) => {
        this.#wakePutter = resolve;
      });
    }
    if (this.#failure !== null) throw this.#failure;
    const size = lengthOf(entry);
    this.#entries.push(entry);
    this.#sizes.push(size);
    this.#length += size;
    this.#wakeTaker();
  }

  /** What is there, at most a piece; null after the end. */
  async take(): Promise<TaskEntry[] | null> {
    while (this.#entries.length === 0) {
      if (this.#ended) return null;
      await new Promise<void>((resolve) => {
        this.#wakeTaker = resolve;
      });
    }
    let count = 0;
    let length = 0;
    while (count < this.#entries.length && count < PIECE_TASKS) {
      const size = this.#sizes[count] ?? 0;
      if (count > 0 && length + size > PIECE_LENGTH) break;
      length += size;
      count += 1;
    }
    const piece = this.#entries.splice(0, count);
    this.#sizes.splice(0, count);
    this.#length -= length;
    this.#wakePutter();
    return piece;
  }

  /** Nothing more will be put. */
  end(): void {
    this.#ended = true;
    this.#wakeTaker();
  }

  /** Nothing more will be taken. */
  stop(failure: unknown): void {
    this.#failure = failure;
    this.#wakePutter();
  }
}
