import {
  type LogChunk,
  newId,
  type Origin,
  PilothouseError,
  type ResolvedTaskDescription,
  type ResolvedTaskEntry,
  type TaskRecord,
  taskStates,
} from '@pilothouse/sdk/internal';
import type { Context } from '../../context.js';
import type { Explanation } from '../../engines/index.js';
import { placeOf } from '../../picture/tasks/columns.js';
import type { TaskGroup } from '../../picture/tasks/facts.js';
import { type RowFilter, RowsSource } from '../../picture/tasks/rows-source.js';
import { askedFor, withoutDefaults } from '../../picture/tasks/task-record.js';
import { buildEnvironment, resolveDirectory } from '../environment.js';
import { type LogRange, OutputReader } from '../output-reader.js';
import type { PilotManager, Submission } from '../pilot-manager.js';
import { findRef } from '../refs.js';
import { Drafter, nameFor } from './drafts.js';
import { explainTask } from './explain.js';
import type { Placement } from './placement.js';
import type { Draft, TaskWriter } from './task-writer.js';

/** One task of a submit. */
export interface TaskSubmission {
  readonly description: ResolvedTaskDescription;
  readonly key: string;
}

/** Tasks of one list: a message holds 8 MiB, and a record about one KiB. */
const LISTED = 4000;

/** Tasks: submitted durably, found again, cancelled, read. Many at once are a set; see `SetManager`. */
export class TaskManager {
  readonly #running = new Map<string, Promise<TaskRecord>>();
  readonly #output: OutputReader;

  constructor(
    private readonly context: Context,
    private readonly pilots: PilotManager,
    private readonly placement: Placement,
    private readonly writer: TaskWriter,
  ) {
    this.#output = new OutputReader(context);
  }

  /** Durable when it resolves. A key that was used before gives the task it made then. */
  submit(tasks: readonly TaskSubmission[], origin: Origin): Promise<TaskRecord[]> {
    const group: TaskGroup = {
      template: {},
      env: buildEnvironment(this.context.config, origin, {}),
      cwd: resolveDirectory(this.context.config, origin, undefined),
      owner: origin.name,
    };
    const asked = tasks.map(({ description, key }) => ({ entry: withoutDefaults(description), key }));
    return this.#submit(asked, group);
  }

  get(ref: string): TaskRecord {
    return findRef(this.context.picture, this.context.names, 'task', ref);
  }

  /** The newest ones that belong to no set, as many as fit into one message; `watch` shows all. */
  list(all: boolean): TaskRecord[] {
    const { picture } = this.context;
    const slots = [...picture.tasks.singles.values()].filter((slot) => all || !picture.tasks.isFinal(slot));
    return slots.slice(-LISTED).map((slot) => picture.task(slot));
  }

  /** All tasks as rows, live. */
  rows(filter: RowFilter): RowsSource {
    const { picture, names, epoch } = this.context;
    const set = filter.set === undefined ? undefined : findRef(picture, names, 'set', filter.set).id;
    const pilot = filter.pilot === undefined ? undefined : findRef(picture, names, 'pilot', filter.pilot).id;
    return new RowsSource(picture, epoch, { set, pilot });
  }

  explain(ref: string): Promise<Explanation> {
    return explainTask(this.context, this.pilots, this.get(ref));
  }

  log(ref: string, range: LogRange): Promise<LogChunk> {
    const { id, pilot, output, endedAt } = this.get(ref);
    if (pilot === null) {
      return Promise.resolve({ text: '', offset: 0, next: 0, size: 0, complete: endedAt !== null });
    }
    return this.#output.read({ id, pilot, output, final: endedAt !== null }, range);
  }

  async cancel(ref: string): Promise<TaskRecord> {
    const task = this.get(ref);
    if (taskStates.isFinal(task.state)) return task;
    await this.cancelMany([task.id]);
    return this.get(task.id);
  }

  /** Cancels those that have not ended. */
  async cancelMany(ids: readonly string[]): Promise<{ canceled: number }> {
    const { context } = this;
    const { tasks } = context.picture;
    const byPilot = new Map<string, string[]>();
    const open: string[] = [];
    for (const id of ids) {
      const slot = tasks.find(id);
      if (slot === undefined) throw notThere(id);
      if (tasks.isFinal(slot)) continue;
      open.push(id);
      const pilot = tasks.pilotOf(slot);
      for (const one of pilot === null ? (tasks.offerOf(slot)?.pilots ?? []) : [pilot]) {
        const known = byPilot.get(one);
        if (known === undefined) byPilot.set(one, [id]);
        else known.push(id);
      }
    }
    if (open.length === 0) return { canceled: 0 };
    await context.events.append([{ type: 'tasks.cancel', tasks: open }]);
    for (const [pilot, mine] of byPilot) {
      context.link.spooled(pilot, await context.spool.append(pilot, [{ type: 'cancel-tasks', tasks: mine }]));
    }
    return { canceled: open.length };
  }

  /** The same again, as a new task: where and as it was submitted, whoever asks. */
  async retry(ref: string, { key }: Submission): Promise<TaskRecord> {
    const { picture } = this.context;
    const slot = picture.tasks.find(this.get(ref).id);
    const group =
      slot === undefined ? undefined : picture.tasks.groups.get(picture.tasks.chunk(slot).group[placeOf(slot)] ?? 0);
    if (slot === undefined || group === undefined) throw notThere(ref);
    const { after: _, ...asked } = askedFor(picture.tasks, slot);
    const entry = { ...asked, name: asked.name ?? picture.tasks.nameOf(slot), pilot: this.#stillThere(asked.pilot) };
    const [task] = await this.#submit([{ entry, key, retryOf: picture.tasks.idOf(slot) }], { ...group, template: {} });
    if (task === undefined) throw notThere(ref);
    return task;
  }

  /** A pilot that has ended cannot be meant any more. */
  #stillThere(ref: string | undefined): string | undefined {
    if (ref === undefined) return undefined;
    const { picture, names } = this.context;
    const id = picture.has('pilot', ref) ? ref : names.find('pilot', ref);
    return id === undefined || picture.get('pilot', id)?.endedAt !== null ? undefined : ref;
  }

  async #submit(tasks: readonly Asked[], group: TaskGroup): Promise<TaskRecord[]> {
    const { context } = this;
    const drafter = new Drafter(context, this.placement, group.template);
    const drafts = new Map<string, Draft>();
    try {
      for (const [index, { entry, key, retryOf }] of tasks.entries()) {
        if (context.keys.get(key) !== undefined || this.#running.has(key) || drafts.has(key)) continue;
        const id = newId('task');
        const name = context.names.reserve('task', nameFor(entry), id);
        const at = tasks.length > 1 ? `tasks.${index}.description.` : '';
        try {
          drafts.set(key, { ...drafter.draft(id, name, entry, at), key, retryOf });
        } catch (error) {
          context.names.release('task', name, id);
          throw error;
        }
      }
    } catch (error) {
      for (const { task } of drafts.values()) context.names.release('task', task.name, task.id);
      throw error;
    }
    const fresh = [...drafts.values()];
    const written = fresh.length === 0 ? Promise.resolve() : this.writer.write({ set: null, group }, fresh);
    for (const [key, { task }] of drafts) this.#follow(key, task, written);
    return Promise.all(tasks.map(({ key }) => this.#made(key)));
  }

  /** A submit that is repeated while this one is being written gets the same task. */
  #follow(key: string, { id, name }: { readonly id: string; readonly name: string }, written: Promise<void>): void {
    const one = written.then(() => this.get(id));
    this.#running.set(key, one);
    const done = (): void => void this.#running.delete(key);
    one.then(done, () => {
      done();
      if (!this.context.picture.has('task', id)) this.context.names.release('task', name, id);
    });
  }

  async #made(key: string): Promise<TaskRecord> {
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const made = this.context.keys.get(key);
    if (made?.kind === 'task') return this.get(made.id);
    throw new PilothouseError('INVALID_DESCRIPTION', 'this key was used for something that is no task', {
      hint: 'Use a new key for every submit.',
      field: 'key',
    });
  }
}

interface Asked {
  readonly entry: ResolvedTaskEntry;
  readonly key: string;
  readonly retryOf?: string;
}

function notThere(id: string): PilothouseError {
  return new PilothouseError('TASK_NOT_FOUND', `there is no task "${id}"`, {
    hint: 'It may have been taken off the lists; look at what there is.',
    ids: { task: id },
    field: 'ref',
  });
}
