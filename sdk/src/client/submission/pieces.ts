import type { TaskEntry } from '../../schemas/index.js';

/** Limits of one `sets.add`: small enough that the bridge takes it in one breath, far below the 8 MiB of a message. */
export const PIECE_TASKS = 4_000;
/** Characters; a character may take three bytes. */
export const PIECE_LENGTH = 2 * 1024 * 1024;

/** Tasks that travel together. */
export interface Piece {
  readonly tasks: TaskEntry[];
  /** Nothing comes after it. */
  readonly last: boolean;
}

/** Characters that an entry takes in a message. */
export function lengthOf(entry: TaskEntry): number {
  return JSON.stringify(entry).length + 1;
}

/**
 * Cuts entries into pieces, none above the limits unless one entry alone is; the last one (which may be empty, where there
 * is nothing at all) says so.
 */
export function* cutPieces(
  entries: Iterable<TaskEntry>,
  limits: { readonly tasks: number; readonly length: number } = { tasks: PIECE_TASKS, length: PIECE_LENGTH },
): Generator<Piece, void, void> {
  let tasks: TaskEntry[] = [];
  let length = 0;
  for (const entry of entries) {
    const size = lengthOf(entry);
    if (tasks.length === limits.tasks || (tasks.length > 0 && length + size > limits.length)) {
      yield { tasks, last: false };
      tasks = [];
      length = 0;
    }
    tasks.push(entry);
    length += size;
  }
  yield { tasks, last: true };
}
