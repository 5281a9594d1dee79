import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listFolder, readPiece } from '@pilothouse/sdk/files';
import {
  type FileChunk,
  PilothouseError,
  type StagingDirective,
  type StagingReport,
  type TaskFile,
} from '@pilothouse/sdk/shared';
import type { StageOrder, Stages, TaskFolders } from '../tasks/stages.js';
import { checksumWish } from './checksum.js';
import { carryOut } from './directive.js';
import { stagingFailed, systemCode } from './failures.js';
import { isUrl } from './locations.js';
import { ReportBoard } from './report-board.js';
import { Slots } from './slots.js';

/** Transfers over the network at the same time; more only share its bandwidth and burden servers. */
const TRANSFERS = 8;
/** Directives of this node's file systems at the same time: enough to keep them busy, few enough to leave them to tasks. */
const LOCAL = 32;

/** Moves the data of tasks, in and out. Everything that it does can be done again without harm. */
export class Staging implements Stages, TaskFolders {
  readonly #transfers = new Slots(TRANSFERS);
  readonly #local = new Slots(LOCAL);
  readonly #notes: string | undefined;

  /** @param notes - folder on this node for notes about what is under way, which the next agent finds */
  constructor(notes?: string) {
    this.#notes = notes;
  }

  stageIn(order: StageOrder): Promise<readonly StagingReport[]> {
    return this.#stage(order, 'in');
  }

  stageOut(order: StageOrder): Promise<readonly StagingReport[]> {
    return this.#stage(order, 'out');
  }

  files(cwd: string): Promise<readonly TaskFile[]> {
    return listFolder(cwd);
  }

  chunk(cwd: string, path: string, offset: number, limit: number): Promise<FileChunk> {
    return readPiece([cwd], path, offset, limit);
  }

  /** One directive after the other, in the order given: a later one may need what an earlier one brought. */
  async #stage(order: StageOrder, direction: 'in' | 'out'): Promise<readonly StagingReport[]> {
    const board = new ReportBoard(direction, order.directives, order.report);
    board.flush();
    const note = await this.#noteMoves(order, direction);
    // An earlier attempt of the task has moved its input to where it is needed.
    const again = note?.found === true || (direction === 'in' && order.attempt > 1);
    try {
      for (const index of order.directives.keys()) await this.#one(order, direction, index, again, board);
      return board.all;
    } finally {
      board.flush();
      if (note) await rm(note.path, { force: true });
    }
  }

  /** A move cannot be done twice: a note says that one may have been begun, should this agent not live to see its end. */
  async #noteMoves(order: StageOrder, direction: 'in' | 'out'): Promise<{ path: string; found: boolean } | undefined> {
    if (this.#notes === undefined || !order.directives.some(({ action }) => action === 'move')) return undefined;
    const path = join(this.#notes, `${order.id}.${order.attempt}.${direction}.moves`);
    try {
      await writeFile(path, '', { flag: 'wx', mode: 0o600 });
      return { path, found: false };
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return { path, found: true };
      throw stagingFailed(error, direction === 'in' ? 'stageIn' : 'stageOut', 'making a note in', this.#notes);
    }
  }

  async #one(
    order: StageOrder,
    direction: 'in' | 'out',
    index: number,
    again: boolean,
    board: ReportBoard,
  ): Promise<void> {
    // As it was written: what a set's entries leave out has no default here.
    const directive: StagingDirective | undefined = order.directives[index];
    if (directive === undefined) return;
    const field = `${direction === 'in' ? 'stageIn' : 'stageOut'}.${index}`;
    const slots = isUrl(directive.from) || isUrl(directive.to ?? './') ? this.#transfers : this.#local;
    const run = {
      task: order.id,
      directive,
      field,
      direction,
      fromBase: direction === 'in' ? order.from : order.cwd,
      toBase: direction === 'in' ? order.cwd : order.from,
      env: order.env,
      checksum: checksumWish(directive.checksum),
      signal: order.signal,
      again,
      progress: board.progressOf(index),
    };
    try {
      await slots.use(order.signal, async () => {
        board.change(index, { state: 'ACTIVE' });
        await carryOut(run, (path) => board.change(index, { path }));
      });
    } catch (error) {
      const failure = stagingFailed(error, field, 'staging', directive.from);
      if (!(directive.optional === true && isNothingThere(failure))) {
        board.change(index, { state: 'FAILED', error: failure.message });
        throw failure;
      }
    }
    board.change(index, { state: 'DONE' });
  }
}

function isNothingThere(error: unknown): boolean {
  return error instanceof PilothouseError && error.code === 'DATA_NOT_FOUND';
}
