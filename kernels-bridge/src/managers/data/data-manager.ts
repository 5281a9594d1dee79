import { stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, normalize } from 'node:path';
import {
  coveredBy,
  LISTED_FILES,
  listFolder,
  readPiece,
  safeRelative,
  splitPattern,
  tooLarge,
} from '@pilothouse/sdk/files';
import {
  type FileChunk,
  PilothouseError,
  type StagingReport,
  type TaskFile,
  type TaskRecord,
} from '@pilothouse/sdk/internal';
import type { Context } from '../../context.js';
import type { Question, Reply } from '../../link/agent-link.js';
import { whereMissing } from '../../missing.js';

/** Which piece of a file is asked for. */
export interface Piece {
  /** Relative to the working directory of the task. */
  readonly path: string;
  /** bytes */
  readonly offset: number;
  readonly limit: number;
}

type Out = { readonly from: string; readonly report: StagingReport | undefined };

/**
 * The data of tasks: what they have left and where it is by now. Read from its folder where this host sees it, and through
 * the agent while the task lives, since what was just written shows up on the node first.
 */
export class DataManager {
  constructor(
    private readonly context: Context,
    private readonly tasks: { get(ref: string): TaskRecord },
  ) {}

  /**
   * What a task has left in its own folder; in a folder that it shares, what its `stageOut` names. Paths are relative to its
   * working directory, also of what has been moved out of it since.
   */
  async files(ref: string): Promise<TaskFile[]> {
    const task = this.tasks.get(ref);
    const outs = outsOf(task);
    const wanted = task.description.sandbox
      ? () => true
      : (path: string) => outs.some(({ from }) => covers(from, path));
    const here = await this.#list(task, wanted);
    const known = new Set(here.map(({ path }) => path));
    for (const out of outs) {
      if (here.length >= LISTED_FILES) break;
      for (const file of await movedFiles(out)) if (!known.has(file.path)) here.push(file);
    }
    return here.slice(0, LISTED_FILES);
  }

  /**
   * A piece of a file that a task has left, be it moved out of its folder or not.
   *
   * @throws PilothouseError DATA_NOT_FOUND, UNSAFE_PATH, FILE_TOO_LARGE, PERMISSION_DENIED
   */
  async output(ref: string, piece: Piece): Promise<FileChunk> {
    const task = this.tasks.get(ref);
    const path = safeRelative(piece.path);
    try {
      return await this.#read(task, { ...piece, path });
    } catch (error) {
      if (!(error instanceof PilothouseError && error.code === 'DATA_NOT_FOUND')) throw error;
      const moved = outsOf(task).map((out) => whereTo(out, path));
      const place = moved.find((found) => found !== null);
      if (place === null || place === undefined) throw error;
      const { fileLimit } = this.context.config;
      return await readPiece([dirname(place)], basename(place), piece.offset, piece.limit, fileLimit);
    }
  }

  /** Absolute working directory of a task. */
  folderOf({ id, pilot, cwd, description }: TaskRecord): string {
    const own = description.sandbox && pilot !== null;
    return own ? join(this.context.config.home, 'pilots', pilot, 'sandboxes', id) : cwd;
  }

  async #list(task: TaskRecord, wanted: (path: string) => boolean): Promise<TaskFile[]> {
    const folder = this.folderOf(task);
    // An agent lists a folder up to a limit, whatever is wanted of it: what the task shares with others may be full of theirs.
    const seen = !task.description.sandbox && (await stat(folder).catch(whereMissing(null))) !== null;
    const reply = seen ? null : await this.#ask(task, { type: 'files', id: task.id });
    return reply?.files?.filter(({ path }) => wanted(path)) ?? listFolder(folder, wanted);
  }

  async #read(task: TaskRecord, piece: Piece): Promise<FileChunk> {
    const { fileLimit } = this.context.config;
    const folder = this.folderOf(task);
    const reply = await this.#ask(task, { type: 'file', id: task.id, ...piece });
    if (reply?.chunk === undefined) return readPiece([folder], piece.path, piece.offset, piece.limit, fileLimit);
    if (reply.chunk.size > fileLimit) throw tooLarge(piece.path, join(folder, piece.path), reply.chunk.size, fileLimit);
    return reply.chunk;
  }

  /** Asks the agent of a task that lives; null where there is none, or it cannot be reached now. */
  async #ask({ endedAt, pilot }: TaskRecord, question: Question): Promise<Reply | null> {
    if (endedAt !== null || pilot === null || !this.context.link.connected(pilot)) return null;
    try {
      return await this.context.link.ask(pilot, question);
    } catch (error) {
      const away = error instanceof PilothouseError && (error.code === 'NODE_LOST' || error.code === 'TASK_NOT_FOUND');
      // It may just be starting again, or has not begun the task: what this host sees of the folder is the answer then.
      if (away) return null;
      throw error;
    }
  }
}

/** The directives by which a task gives things out, each with how far it is. */
function outsOf({ description, staging }: TaskRecord): Out[] {
  const reports = (staging ?? []).filter(({ direction }) => direction === 'out');
  return description.stageOut.map(({ from }, index) => ({ from, report: reports[index] }));
}

function covers(from: string, path: string): boolean {
  return coveredBy(from, path) !== null;
}

/** Where a path of the task's folder lies after it was staged out; null: that directive has nothing to do with it. */
function whereTo({ from, report }: Out, path: string): string | null {
  const covered = coveredBy(from, path);
  return covered === null || report?.path === undefined ? null : join(report.path, covered.below);
}

/**
 * What a directive has moved away, by the paths it had in the task's folder. Of a pattern it is what matches at the target:
 * whose it is, when several tasks move theirs to one folder, cannot be told.
 */
async function movedFiles({ from, report }: Out): Promise<TaskFile[]> {
  if (report?.path === undefined || report.action !== 'move' || isAbsolute(from)) return [];
  const { fixed, rest } = splitPattern(from);
  const found = await stat(report.path).catch(whereMissing(null));
  if (found?.isFile()) {
    return [{ path: normalize(from), size: found.size, modified: found.mtime.toISOString(), folder: false }];
  }
  const wanted = (path: string): boolean => rest === null || covers(from, join(fixed, path));
  const files = await listFolder(report.path, wanted);
  return files.map((file) => ({ ...file, path: join(fixed, file.path) }));
}
