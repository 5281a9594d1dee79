import type { z } from 'zod';
import { isFinal } from '../client/picture/final.js';
import { PilothouseError } from '../errors/index.js';
import {
  mergeEntry,
  type TaskOutcome,
  type TaskRecord,
  type TaskRow,
  type TaskRows,
  type TaskSetRecord,
  taskDescriptionSchema,
  taskEntrySchema,
  taskSetDescriptionSchema,
} from '../schemas/index.js';
import { whatItDoes } from '../views/task-words.js';
import type { MemoryBridge } from './memory-bridge.js';
import type { MemoryRunner } from './memory-runner.js';
import { parse } from './parse.js';
import { testTask, testTaskSet } from './records.js';

interface Kept {
  readonly template: z.output<typeof taskEntrySchema>;
  /** In order of completion. */
  readonly outcomes: TaskOutcome[];
  /** Of an earlier set of that name: what is DONE, by name and description. */
  readonly before: ReadonlyMap<string, TaskRecord>;
}

interface Opening {
  readonly owner: string;
  readonly key: string;
  readonly retryOf?: string | undefined;
}

/** Task sets as the bridge keeps them. */
export class MemorySets {
  readonly #bridge: MemoryBridge;
  readonly #runner: MemoryRunner;
  readonly #kept = new Map<string, Kept>();

  constructor(bridge: MemoryBridge, runner: MemoryRunner) {
    this.#bridge = bridge;
    this.#runner = runner;
    bridge.onMoved((after) => {
      if (after.kind === 'task' && after.set !== null && isFinal(after)) this.#ended(after, after.set);
    });
  }

  open(description: unknown, { owner, key, retryOf }: Opening): TaskSetRecord {
    const { name, template, resume, expected } = parse(taskSetDescriptionSchema, description);
    const earlier =
      resume && name
        ? this.#bridge
            .list('set', true)
            .filter((set) => set.name === name)
            .at(-1)
        : undefined;
    const made = this.#bridge.once(key, () => {
      const set = testTaskSet({ owner, expected: expected ?? null, retryOf: retryOf ?? null });
      return name === undefined ? set : { ...set, name };
    });
    if (!this.#kept.has(made.id)) {
      const done = earlier ? this.#members(earlier.id).filter(({ state }) => state === 'DONE') : [];
      const before = new Map(done.map((task) => [identity(task), task]));
      this.#kept.set(made.id, { template, outcomes: [], before });
    }
    return this.#bridge.find('set', made.id);
  }

  add(id: string, from: number, entries: readonly unknown[], close: boolean): number {
    const set = this.#bridge.find('set', id);
    const { total } = set.counts;
    if (from > total) {
      throw new PilothouseError('INVALID_DESCRIPTION', `from: ${from}, but the set has ${total} tasks.`, {
        field: 'from',
        hint: 'Add the tasks before it first.',
      });
    }
    const fresh = entries.slice(total - from);
    if (fresh.length > 0 && !set.open) {
      throw new PilothouseError('INVALID_DESCRIPTION', `Task set ${set.name} takes no more tasks.`, {
        hint: 'Submit a new set.',
        ids: { set: set.id },
      });
    }
    const { template, before } = this.#of(set.id);
    const described = fresh.map((entry) =>
      parse(taskDescriptionSchema, mergeEntry(template, parse(taskEntrySchema, entry))),
    );
    const tasks = described.map((description, index) => {
      const number = total + index;
      const name = description.name ?? `${set.name}.${number}`;
      const { id: taskId, owner } = { id: `${set.id}.${number}`, owner: set.owner };
      return testTask({ id: taskId, name, set: set.id, description, owner, state: 'NEW', pilot: set.pilot });
    });
    const [first] = tasks;
    this.#bridge.put({
      ...set,
      open: set.open && !close,
      summary: set.summary || (first ? whatItDoes(first) : ''),
      counts: { ...set.counts, total: total + tasks.length, waiting: set.counts.waiting + tasks.length },
    });
    for (const task of tasks) {
      this.#bridge.put(task);
      const done = before.get(identity(task));
      if (done)
        this.#bridge.move(task.id, 'DONE', { resumedFrom: done.id, exitCode: done.exitCode, value: done.value });
      else this.#runner.start(task);
    }
    this.#settle(set.id);
    return total + tasks.length;
  }

  async *results(id: string, from: number, signal: AbortSignal | undefined) {
    const set = this.#bridge.find('set', id).id;
    for (let next = from; ; ) {
      signal?.throwIfAborted();
      const outcomes = this.#of(set).outcomes.slice(next);
      const complete = isFinal(this.#bridge.find('set', set));
      if (outcomes.length > 0 || complete) {
        next += outcomes.length;
        yield { outcomes, next, complete };
        if (complete) return;
      } else {
        await this.#bridge.sleep(signal);
      }
    }
  }

  async *rows(
    { set, pilot }: { readonly set?: string | undefined; readonly pilot?: string | undefined },
    signal: AbortSignal | undefined,
  ): AsyncGenerator<TaskRows, void, void> {
    let seq = 0;
    for (let reset = true; ; reset = false) {
      signal?.throwIfAborted();
      const tasks = this.#bridge.tasks().filter((task) => {
        return (
          task.seq > seq && (set === undefined || task.set === set) && (pilot === undefined || task.pilot === pilot)
        );
      });
      if (reset || tasks.length > 0) {
        seq = tasks.reduce((most, task) => Math.max(most, task.seq), seq);
        yield { epoch: 1, seq, reset, more: false, rows: tasks.map(rowOf), removed: [] };
      } else {
        await this.#bridge.sleep(signal);
      }
    }
  }

  cancel(id: string): TaskSetRecord {
    const set = this.#bridge.find('set', id);
    this.#bridge.put({ ...set, open: false });
    for (const task of this.#members(set.id)) if (!isFinal(task)) this.#bridge.move(task.id, 'CANCELED');
    this.#settle(set.id, 'CANCELED');
    return this.#bridge.find('set', set.id);
  }

  retryFailed(id: string, canceled: boolean, opening: Opening): TaskSetRecord {
    const set = this.#bridge.find('set', id);
    const again = this.#members(set.id).filter(({ state }) => state === 'FAILED' || (canceled && state === 'CANCELED'));
    const made = this.open({ name: set.name }, { ...opening, retryOf: set.id });
    const entries = again.map(({ name, description }) => ({ ...description, name }));
    this.add(made.id, 0, entries, true);
    return this.#bridge.find('set', made.id);
  }

  #of(id: string): Kept {
    const known = this.#kept.get(id);
    if (known) return known;
    // A set that the test put there itself.
    const made: Kept = { template: {}, outcomes: [], before: new Map() };
    this.#kept.set(id, made);
    return made;
  }

  #members(id: string): TaskRecord[] {
    return this.#bridge.tasks().filter((task) => task.set === id);
  }

  #ended(task: TaskRecord, id: string): void {
    const { outcomes } = this.#of(id);
    const { name, state, attempt, exitCode, error, stderrTail, value, exception, usage } = task;
    const number = Number(task.id.slice(id.length + 1));
    const end = { exitCode, error, stderrTail, value, exception, usage };
    outcomes.push({ index: outcomes.length, id: task.id, name, number, state, attempt, ...end });
    const set = this.#bridge.find('set', id);
    const counts = { ...set.counts, waiting: set.counts.waiting - 1 };
    if (state === 'DONE') counts.done += 1;
    else if (state === 'FAILED') counts.failed += 1;
    else counts.canceled += 1;
    if (task.resumedFrom !== null) counts.resumed += 1;
    const failures = error && set.failures.length < 10 ? [...set.failures, { id: task.id, name, error }] : set.failures;
    this.#bridge.put({ ...set, counts, failures });
    this.#settle(id);
  }

  #settle(id: string, ending: 'DONE' | 'CANCELED' = 'DONE'): void {
    const { open, counts } = this.#bridge.find('set', id);
    if (open || counts.done + counts.failed + counts.canceled < counts.total) return;
    const state = counts.failed > 0 ? 'FAILED' : counts.canceled > 0 ? 'CANCELED' : ending;
    this.#bridge.move(id, state);
  }
}

/** Tasks with the same one are the same task, for `resume`. */
function identity({ name, description }: TaskRecord): string {
  return JSON.stringify([name, description]);
}

function rowOf(task: TaskRecord): TaskRow {
  const at = (iso: string | null | undefined) => (iso ? Date.parse(iso) : null);
  const { id, name, set, state, reason, pilot, attempt, description, exitCode } = task;
  const since = Date.parse(task.since);
  const why = reason?.text ?? task.error?.message ?? null;
  const [created, started, ended] = [Date.parse(task.createdAt), at(task.times.RUNNING), at(task.endedAt)];
  const { cores, gpus } = description;
  return [id, name, set, state, why, since, pilot, attempt, cores, gpus, created, started, ended, exitCode];
}
