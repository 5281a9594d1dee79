import {
  newId,
  type Origin,
  PilothouseError,
  type ResolvedTaskEntry,
  type ResolvedTaskSetDescription,
  type TaskSetRecord,
} from '@pilothouse/sdk/internal';
import type { Context } from '../../context.js';
import type { Explanation } from '../../engines/index.js';
import { isFinalNumber } from '../../picture/tasks/facts.js';
import { ResultsSource } from '../../picture/tasks/results-source.js';
import { keptTask } from '../../picture/tasks/task-record.js';
import type { LiveSet } from '../../picture/tasks/task-set-state.js';
import type { LogEntry } from '../../store/log-records.js';
import { buildEnvironment, resolveDirectory } from '../environment.js';
import { Once, Sequence } from '../once.js';
import type { PilotManager, Submission } from '../pilot-manager.js';
import { findRef } from '../refs.js';
import type { AbandonedSets, Visitor } from './abandoned.js';
import { Drafter } from './drafts.js';
import type { Placement } from './placement.js';
import { Resume } from './resume.js';
import type { TaskManager } from './task-manager.js';
import type { Draft, TaskWriter } from './task-writer.js';

/** Entries that are added at once when the bridge itself repeats a set. */
const REPEATED = 10_000;

/** Tasks of one `add`. */
export interface Addition {
  readonly set: string;
  /** Number of the first of them. */
  readonly from: number;
  readonly tasks: readonly ResolvedTaskEntry[];
  readonly close: boolean;
}

/** Task sets: opened, filled, closed, followed, repeated. */
export class SetManager {
  readonly #opens = new Once<TaskSetRecord>();
  readonly #adds = new Sequence();
  readonly #resumes = new Map<string, Resume>();

  constructor(
    private readonly context: Context,
    private readonly pilots: PilotManager,
    private readonly placement: Placement,
    private readonly writer: TaskWriter,
    private readonly tasks: TaskManager,
    private readonly abandoned: AbandonedSets,
  ) {}

  /** A key that was used before gives the set it made then. */
  async open(
    description: ResolvedTaskSetDescription,
    { origin, key }: Submission,
    visitor?: Visitor,
  ): Promise<TaskSetRecord> {
    const made = this.context.keys.get(key);
    const set =
      made?.kind === 'set'
        ? this.get(made.id)
        : await this.#opens.run(key, () => this.#open(description, origin, key, null));
    if (set.open) this.abandoned.visit(set.id, visitor);
    return set;
  }

  /**
   * Durable when it resolves. What stands before `total` already is not added twice.
   *
   * @throws PilothouseError TASK_SET_NOT_FOUND, INVALID_DESCRIPTION
   */
  async add(addition: Addition, visitor?: Visitor): Promise<{ total: number }> {
    const set = this.#live(addition.set);
    this.abandoned.visit(set.id, visitor);
    // One after the other: the number of a task is its place.
    await this.#adds.run(set.id, () => this.#add(set, addition));
    return { total: set.counts.total };
  }

  get(ref: string): TaskSetRecord {
    return findRef(this.context.picture, this.context.names, 'set', ref);
  }

  list(all: boolean): TaskSetRecord[] {
    return [...this.context.picture.list('set')].filter(({ endedAt }) => all || endedAt === null);
  }

  /** Its outcomes, for one reader. */
  results(ref: string, from: number): ResultsSource {
    return new ResultsSource(this.context.picture.tasks, this.#live(ref), from);
  }

  async explain(ref: string): Promise<Explanation> {
    const set = this.#live(ref);
    const { counts } = set;
    if (set.endedAt !== null) {
      const evidence = set.failures.map(({ name, error }) => `${name}: ${error.message}`);
      const first = set.failures[0]?.error.message;
      const why = first === undefined ? '' : `; the first that failed: ${first}`;
      return { text: `${counts.done} done, ${counts.failed} failed, ${counts.canceled} canceled${why}`, evidence };
    }
    const { tasks } = this.context.picture;
    for (const slot of set.slots) {
      if (isFinalNumber(tasks.stateNumber(slot))) continue;
      const why = await this.tasks.explain(tasks.idOf(slot));
      const rest = `${counts.waiting} wait, ${counts.running} run, ${set.ended} of ${counts.total} have ended`;
      return { text: `${rest}; the next, "${tasks.nameOf(slot)}": ${why.text}`, evidence: why.evidence };
    }
    return { text: 'all its tasks have ended; more may be added until it is closed', evidence: [] };
  }

  /** Cancels what has not ended; no more can be added. */
  async cancel(ref: string): Promise<TaskSetRecord> {
    const set = this.#live(ref);
    if (set.endedAt !== null) return this.get(set.id);
    const { context } = this;
    const { tasks } = context.picture;
    const pilots = new Set<string>();
    await this.#adds.run(set.id, async () => {
      for (const slot of set.slots) {
        if (tasks.isFinal(slot)) continue;
        const pilot = tasks.pilotOf(slot);
        for (const one of pilot === null ? (tasks.offerOf(slot)?.pilots ?? []) : [pilot]) pilots.add(one);
      }
      await context.events.append([{ type: 'tasks.cancel', set: set.id }]);
    });
    for (const pilot of pilots) {
      context.link.spooled(pilot, await context.spool.append(pilot, [{ type: 'cancel-tasks', set: set.id }]));
    }
    return this.get(set.id);
  }

  /** Its failed tasks again, as a new set; with `canceled` those too. */
  retryFailed(ref: string, canceled: boolean, { origin, key }: Submission): Promise<TaskSetRecord> {
    const made = this.context.keys.get(key);
    if (made?.kind === 'set') return Promise.resolve(this.get(made.id));
    return this.#opens.run(key, async () => {
      const set = this.#live(ref);
      const { tasks } = this.context.picture;
      const again = [...set.slots].filter((slot) => {
        const state = tasks.state(slot);
        return state === 'FAILED' || (canceled && state === 'CANCELED');
      });
      if (again.length === 0) {
        throw new PilothouseError('INVALID_DESCRIPTION', `no task of "${set.facts.name}" has failed`, {
          hint: canceled ? 'There is nothing to repeat.' : 'Ask for the canceled ones too, or submit it again.',
          ids: { set: set.id },
        });
      }
      const { resume: _, ...description } = set.facts.description;
      const record = await this.#open({ ...description, resume: false, expected: again.length }, origin, key, set);
      for (let start = 0; start < again.length; start += REPEATED) {
        const ones = again.slice(start, start + REPEATED);
        await this.#repeat(this.#live(record.id), ones, start + REPEATED >= again.length);
      }
      return this.get(record.id);
    });
  }

  async #repeat(set: LiveSet, slots: readonly number[], close: boolean): Promise<void> {
    const { tasks } = this.context.picture;
    const drafter = this.#drafter(set);
    const first = set.counts.total;
    const again = new Map(slots.map((slot, index) => [tasks.idOf(slot), `${set.id}.${first + index}`]));
    const drafts = slots.map((slot, index): Draft => {
      const { name, entry, after = [] } = keptTask(tasks, slot);
      const id = `${set.id}.${first + index}`;
      // What it waited for and is done needs no waiting; what comes again is waited for again.
      const before = after
        .filter(({ task }) => this.#stateOf(task) !== 'DONE')
        .map(({ task, when }) => ({ task: again.get(task) ?? task, when }));
      const repeated = after.length === 0 ? { ...entry, name } : { ...entry, name, after: before };
      return { ...drafter.draft(id, name, repeated, `tasks.${index}.`), retryOf: tasks.idOf(slot) };
    });
    await this.#write(set, drafts, close);
  }

  async #open(
    description: ResolvedTaskSetDescription,
    origin: Origin,
    key: string,
    repeated: LiveSet | null,
  ): Promise<TaskSetRecord> {
    const { context } = this;
    const { template } = description;
    const pilot = template.pilot === undefined ? null : this.pilots.choose(template.pilot).id;
    const id = newId('set');
    const name = context.names.reserve('set', description.name ?? 'tasks', id);
    try {
      const set = {
        id,
        name,
        owner: repeated?.facts.owner ?? origin.name,
        createdAt: context.clock.iso(),
        description,
        env: repeated === null ? buildEnvironment(context.config, origin, {}) : { ...repeated.facts.env },
        cwd: repeated?.facts.cwd ?? resolveDirectory(context.config, origin, undefined),
        pilot,
        retryOf: repeated?.id ?? null,
      };
      await context.events.append([{ type: 'set.opened', key, set }]);
    } catch (error) {
      context.names.release('set', name, id);
      throw error;
    }
    return this.get(id);
  }

  async #add(set: LiveSet, { from, tasks, close }: Addition): Promise<void> {
    const total = set.counts.total;
    if (from > total) {
      throw new PilothouseError('INVALID_DESCRIPTION', `task ${from} cannot come before task ${total}`, {
        hint: `Add the tasks from number ${total} on first.`,
        field: 'from',
        ids: { set: set.id },
      });
    }
    const fresh = tasks.slice(total - from);
    // Added before, and asked again because the answer was lost.
    if (fresh.length === 0 && (!close || !set.open)) return;
    if (!set.open) {
      throw new PilothouseError('INVALID_DESCRIPTION', `task set "${set.facts.name}" takes no more tasks`, {
        hint: set.canceledAt === null ? 'Submit a new set.' : 'It was canceled; submit a new set.',
        field: 'set',
        ids: { set: set.id },
      });
    }
    const drafter = this.#drafter(set);
    const resume = this.#resume(set);
    const drafts = fresh.map((entry, index) => {
      const number = total + index;
      const name = entry.name ?? `${set.facts.name.slice(0, 50)}.${number}`;
      const draft = drafter.draft(`${set.id}.${number}`, name, entry, `tasks.${total - from + index}.`);
      const resumed = resume?.find(name, entry);
      return resumed === undefined ? draft : { ...draft, resumed };
    });
    await this.#write(set, drafts, close);
    if (close) this.#resumes.delete(set.id);
  }

  #write(set: LiveSet, drafts: readonly Draft[], close: boolean): Promise<void> {
    const { description, env, cwd, owner } = set.facts;
    const group = { template: description.template, env, cwd, owner };
    const closing: LogEntry[] = close ? [{ type: 'set.closed', id: set.id }] : [];
    // A call may take less time than the disk does.
    const durable = description.template.call === undefined ? true : 'soon';
    return this.writer.write({ set: set.id, group }, drafts, durable, closing);
  }

  #stateOf(id: string): string | undefined {
    const { tasks } = this.context.picture;
    const slot = tasks.find(id);
    return slot === undefined ? undefined : tasks.state(slot);
  }

  #drafter(set: LiveSet): Drafter {
    return new Drafter(this.context, this.placement, set.facts.description.template, set);
  }

  #resume(set: LiveSet): Resume | undefined {
    if (!set.facts.description.resume || set.facts.description.name === undefined) return undefined;
    let resume = this.#resumes.get(set.id);
    if (resume === undefined) {
      resume = new Resume(this.context.picture, set);
      this.#resumes.set(set.id, resume);
    }
    return resume;
  }

  #live(ref: string): LiveSet {
    const { tasks } = this.context.picture;
    const known = tasks.set(ref);
    if (known !== undefined) return known;
    const set = tasks.set(this.get(ref).id);
    if (set === undefined) throw new RangeError(`no set ${ref}`);
    return set;
  }
}
