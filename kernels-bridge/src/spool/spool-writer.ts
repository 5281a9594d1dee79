import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SpoolRecord, TaskBatch } from '@pilothouse/sdk/internal';
import { z } from 'zod';
import type { Clock } from '../clock.js';
import { AppendFile } from '../store/append-file.js';
import { withTasks } from '../store/log-records.js';
import { readRecords } from '../store/read-lines.js';

type Stamped = 'seq' | 'epoch' | 't';
type TasksRecord = Extract<SpoolRecord, { type: 'tasks' }>;

/** Tasks for an agent, with their texts as they were written into the log. */
export interface TasksEntry {
  readonly type: 'tasks';
  readonly batch: Omit<TaskBatch, 'tasks'> & { readonly tasks: readonly { readonly id: string }[] };
  readonly texts: readonly string[];
  readonly offer?: string | undefined;
  readonly giveBack?: boolean | undefined;
}

/** A spool record as a manager hands it over; number, epoch and time are the spool's. */
export type SpoolEntry =
  | TasksEntry
  | (SpoolRecord extends infer R ? (R extends Exclude<SpoolRecord, TasksRecord> ? Omit<R, Stamped> : never) : never);

interface Spool {
  readonly file: AppendFile;
  seq: number;
}

/** As much of a record as its writer needs when it reads it back: it was valid when it was written. */
const writtenSchema = z.looseObject({
  seq: z.int(),
  epoch: z.int(),
  type: z.string(),
  service: z.union([z.string(), z.looseObject({ id: z.string() })]).optional(),
  batch: z
    .union([
      z.looseObject({ tasks: z.array(z.custom<{ readonly id: string }>(hasId, 'no task')) }),
      // Of requests.
      z.looseObject({ id: z.string() }),
      z.string(),
    ])
    .optional(),
});
/** A record of a spool, read back. */
export type Written = z.infer<typeof writtenSchema>;

/** Ids of the tasks that a record holds. */
export function tasksIn({ batch }: Written): string[] {
  return typeof batch === 'object' && 'tasks' in batch && Array.isArray(batch.tasks)
    ? batch.tasks.map((task: { readonly id: string }) => task.id)
    : [];
}

/** Id of the batch of requests that a record begins. */
export function batchIn({ type, batch }: Written): string | undefined {
  return type === 'batch' && typeof batch === 'object' && typeof batch.id === 'string' ? batch.id : undefined;
}

/**
 * Writes the work of each pilot into its folder: the only way in which work reaches an agent, so that it goes on without
 * any bridge.
 */
export class SpoolWriter {
  readonly #spools = new Map<string, Spool>();
  readonly #opening = new Map<string, Promise<Spool>>();

  constructor(
    private readonly home: string,
    private readonly epoch: number,
    private readonly clock: Clock,
  ) {}

  /**
   * Appends records for one pilot and gives the lines as they stand in the file.
   *
   * @param durable - resolve once they are on disk; `soon`: once the system has them, the disk following by itself
   */
  async append(pilot: string, entries: readonly SpoolEntry[], durable: true | 'soon' = true): Promise<string[]> {
    const spool = this.#spools.get(pilot) ?? (await this.#open(pilot));
    const t = this.clock.iso();
    const lines = entries.map((entry) => {
      spool.seq += 1;
      return this.#line(entry, { seq: spool.seq, epoch: this.epoch, t });
    });
    await spool.file.append(lines, durable);
    return lines;
  }

  /** Everything that stands in a pilot's spool, in order. */
  async *read(pilot: string): AsyncGenerator<Written, void, void> {
    for (const file of await this.#files(pilot)) {
      for await (const lines of readRecords(file, writtenSchema)) for (const { value } of lines) yield value;
    }
  }

  /** Lets go of the file of a pilot that has ended. */
  async close(pilot: string): Promise<void> {
    const spool = this.#opening.get(pilot);
    this.#opening.delete(pilot);
    this.#spools.delete(pilot);
    if (spool !== undefined) await (await spool).file.close();
  }

  async closeAll(): Promise<void> {
    for (const pilot of [...this.#opening.keys()]) await this.close(pilot);
  }

  #line(entry: SpoolEntry, stamp: { seq: number; epoch: number; t: string }): string {
    if (entry.type !== 'tasks') return JSON.stringify({ ...stamp, ...entry });
    const { tasks, ...common } = entry.batch;
    const batch = withTasks(common, tasks, entry.texts);
    const { offer, giveBack } = entry;
    return `${JSON.stringify({ ...stamp, type: 'tasks', offer, giveBack }).slice(0, -1)},"batch":${batch}}`;
  }

  #open(pilot: string): Promise<Spool> {
    const known = this.#opening.get(pilot);
    if (known !== undefined) return known;
    // The numbers go on over all epochs, so what earlier ones wrote is looked at once.
    const opened = this.#lastSeq(pilot).then((seq) => {
      // What goes into a spool stands in the log already, so it must get there, however late.
      const path = join(this.home, 'pilots', pilot, 'spool', `${this.epoch}.jsonl`);
      const spool = { file: new AppendFile(path, { patient: true }), seq };
      this.#spools.set(pilot, spool);
      return spool;
    });
    opened.catch(() => this.#opening.delete(pilot));
    this.#opening.set(pilot, opened);
    return opened;
  }

  async #lastSeq(pilot: string): Promise<number> {
    let last = 0;
    for await (const { seq } of this.read(pilot)) last = Math.max(last, seq);
    return last;
  }

  async #files(pilot: string): Promise<string[]> {
    const folder = join(this.home, 'pilots', pilot, 'spool');
    return (await readdir(folder))
      .filter((name) => /^\d+\.jsonl$/.test(name))
      .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
      .map((name) => join(folder, name));
  }
}

function hasId(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string';
}
