import {
  type PilothouseError,
  type SpooledTask,
  type StagingReport,
  type TaskBatch,
  type TaskState,
  taskStates,
} from '@pilothouse/sdk/shared';
import { HOST_NAME } from '../host-name.js';
import { log } from '../log.js';
import type { NodeContext } from '../node-context.js';
import { accountOf } from './account-of.js';
import { Dependencies } from './dependencies.js';
import { describe, submissionOf } from './description.js';
import { Diary } from './diary.js';
import { folderOf } from './environment.js';
import { GpuWatch, gpuTool } from './gpu-watch.js';
import { Inputs } from './inputs.js';
import { Lacks } from './lacks.js';
import type { Expectant } from './preconditions.js';
import { type PastTask, Task, type TaskHooks } from './task.js';
import { pilotEnded } from './task-end.js';
import type { TaskHost } from './task-host.js';
import type { Submission } from './work.js';

/** What of a batch counts for all its tasks. */
export interface BatchOptions {
  /** Nobody asked for this very pilot: what has not started may go to another one. */
  readonly mayMove: boolean;
}

/** What tasks are made of that others have a part in too. */
export type TaskParts = Pick<
  TaskHost,
  'services' | 'serviceVariables' | 'commands' | 'calls' | 'stages' | 'walltime' | 'accounting'
>;

/** All tasks of a pilot. */
export class Tasks {
  readonly #context: NodeContext;
  /** The same for all tasks: a hundred thousand may wait. */
  readonly #hooks: TaskHooks = {
    running: (change) => {
      this.#running += change;
    },
    // Whoever waits for it goes on at once: its record comes before theirs, so that nothing is ever known without it.
    ended: (one, state) => this.#host.dependencies.settle(one.id, state),
    over: (one, last) => this.#over(one, last),
  };
  readonly #host: Omit<TaskHost, 'lost'> & { lost: boolean };
  readonly #live = new Map<string, Task>();
  readonly #sets = new Map<string, Set<Task>>();
  /** Those that may go to another pilot. */
  readonly #movable = new Set<string>();
  /** What keeps the services alive that tasks name, by task. */
  readonly #holds = new Map<string, (() => void)[]>();
  readonly #whenEmpty: (() => void)[] = [];
  readonly #listeners: (() => void)[] = [];
  #done = 0;
  #failed = 0;
  #running = 0;
  #ended: PilothouseError | undefined;
  #timeOver = false;

  constructor(context: NodeContext, parts: TaskParts) {
    const { services } = parts;
    this.#context = context;
    const onServices = new Set<Expectant>();
    const lacks = new Lacks(context.scheduler.pool);
    this.#host = {
      context,
      ...parts,
      dependencies: new Dependencies((id) => this.#live.get(id)?.name),
      inputs: new Inputs(),
      onServices,
      diary: new Diary(),
      gpus: new GpuWatch(gpuTool(context.pilot)),
      staging: new Map<string, readonly StagingReport[]>(),
      restarted: context.past.epoch > 0,
      lost: false,
      impossible: (demand) => lacks.of(demand),
      nodeName: () => HOST_NAME,
      tooLate: (id) => setImmediate(() => this.#tooLate(id)),
    };
    for (const { id, state, output } of context.past.tasks.values()) {
      if (output) context.output.remember(id, output);
      if (!taskStates.isFinal(state)) continue;
      this.#count(state);
      this.#host.dependencies.settle(id, state);
    }
    services.onChange(() => {
      for (const task of [...onServices]) if (task instanceof Task) task.recheck();
    });
  }

  /** Which tasks have ended, for what else comes after them. */
  get dependencies(): Dependencies {
    return this.#host.dependencies;
  }

  get usage(): { running: number; done: number; failed: number } {
    return { running: this.#running, done: this.#done, failed: this.#failed };
  }

  /** How many have not ended. */
  get size(): number {
    return this.#live.size;
  }

  /** How many have neither ended nor started. */
  get waiting(): number {
    return this.#live.size - this.#running;
  }

  /** How far staging is, of tasks that are at it. */
  get staging(): ReadonlyMap<string, readonly StagingReport[]> {
    return this.#host.staging;
  }

  /** Calls back whenever a task has come or gone. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Whether this task is here and has not ended. */
  has(id: string): boolean {
    return this.#live.has(id);
  }

  /** Working directory of a task that is here. */
  folderOf(id: string): { readonly cwd: string } | undefined {
    const task = this.#live.get(id);
    return task && { cwd: folderOf(this.#context.pilot, id, task.submission, task.description) };
  }

  explain(id: string): { text: string; evidence: string[] } | undefined {
    const found = this.#live.get(id)?.explain();
    return found && { text: found.text, evidence: [...found.evidence] };
  }

  /** Takes tasks from the spool, each once; what ended under an earlier agent stays as it is. */
  submit(batch: TaskBatch, { mayMove }: BatchOptions): void {
    const submission = submissionOf(batch);
    for (const spooled of batch.tasks) this.#submit(submission, spooled, mayMove);
    this.#changed();
  }

  /** Tasks elsewhere have ended. */
  settle(tasks: readonly { readonly id: string; readonly state: TaskState }[]): void {
    for (const { id, state } of tasks) this.#host.dependencies.settle(id, state);
  }

  cancel(ids: readonly string[], set: string | undefined): void {
    for (const id of ids) this.#live.get(id)?.cancel(undefined);
    if (set !== undefined) for (const task of [...(this.#sets.get(set) ?? [])]) task.cancel(undefined);
  }

  /** Ends all tasks, and those that still come; resolves when none is left. */
  endAll(why: string): Promise<void> {
    this.#ended = pilotEnded(this.#context.pilot.id, why);
    for (const task of [...this.#live.values()]) task.cancel(this.#ended);
    return this.empty();
  }

  /** The pilot's time is over: cuts off what runs and lets go of the rest; resolves when none is left. */
  timeOver(): Promise<void> {
    this.#timeOver = true;
    for (const task of [...this.#live.values()]) task.timeOver();
    return this.empty();
  }

  /** Resolves when no task is left. */
  empty(): Promise<void> {
    if (this.#live.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  /** Writes down that nobody knows how what ran has ended. */
  loseAll(): void {
    this.#host.lost = true;
    for (const task of [...this.#live.values()]) task.lose();
  }

  async close(): Promise<void> {
    this.#host.diary.flush();
    this.#host.gpus.close();
    await this.#host.accounting.flush();
  }

  #submit(submission: Submission, spooled: SpooledTask, mayMove: boolean): void {
    const { id, entry } = spooled;
    if (this.#live.has(id)) return;
    const past = this.#context.past.tasks.get(id);
    if (past !== undefined && isOver(past, mayMove)) {
      this.#tidy(submission, spooled, past);
      return;
    }
    if (this.#timeOver) return;
    const task = new Task(this.#host, submission, spooled, past, this.#hooks);
    this.#live.set(id, task);
    const { services } = this.#host;
    if (spooled.services)
      this.#holds.set(
        id,
        spooled.services.map((service) => services.hold(service, id)),
      );
    if (mayMove) this.#movable.add(id);
    if (submission.set !== null) {
      const set = this.#sets.get(submission.set) ?? new Set();
      this.#sets.set(submission.set, set.add(task));
    }
    if (entry.stageOut !== undefined || submission.template.stageOut !== undefined) {
      this.#host.inputs.add(task, task.description.stageOut, submission.cwd);
    }
    task.begin(past);
    if (this.#ended) task.cancel(this.#ended);
  }

  /** The end is in the journal; the agent that wrote it may have been killed before it told anybody else. */
  #tidy(submission: Submission, spooled: SpooledTask, past: PastTask): void {
    const { warden, output } = this.#context;
    const { id } = spooled;
    const runId = `${id}:${past.attempt ?? (spooled.attempts ?? 0) + 1}`;
    const runner = describe(submission, spooled.entry).call === undefined ? this.#host.commands : this.#host.calls;
    runner.acknowledge(runId);
    if (warden.found.has(runId)) {
      output.discard(id).catch((error: unknown) => log(`output of ${id} is left on the node`, error));
    }
    if (taskStates.isFinal(past.state)) this.#host.accounting.add(accountOf(submission, spooled, past, past.t));
  }

  #over(task: Task, last: Parameters<TaskHooks['over']>[1]): void {
    const { id, submission } = task;
    this.#live.delete(id);
    for (const release of this.#holds.get(id) ?? []) release();
    this.#holds.delete(id);
    this.#movable.delete(id);
    const set = submission.set === null ? undefined : this.#sets.get(submission.set);
    if (set?.delete(task) && set.size === 0 && submission.set !== null) this.#sets.delete(submission.set);
    if (task.spooled.entry.stageOut !== undefined || submission.template.stageOut !== undefined) {
      this.#host.inputs.remove(task, task.description.stageOut, submission.cwd);
    }
    const { state } = last;
    if (state !== undefined) {
      this.#count(state);
      const t = new Date().toISOString();
      this.#host.accounting.add(accountOf(submission, task.spooled, { attempt: task.attempt, ...last, state }, t));
    }
    this.#changed();
    if (this.#live.size === 0) for (const done of this.#whenEmpty.splice(0)) done();
  }

  /** What may go elsewhere does not wait for time that this pilot has not got. */
  #tooLate(id: string): void {
    if (!this.#movable.has(id)) return;
    this.#live.get(id)?.giveBack('GIVEN_BACK', 'this pilot has less time left than it takes; it goes to another one');
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  #count(state: string): void {
    if (state === 'DONE') this.#done += 1;
    else if (state === 'FAILED') this.#failed += 1;
  }
}

/** Whether a task has ended for this pilot: it is final, or was given to another one. */
function isOver(past: PastTask, mayMove: boolean): boolean {
  if (taskStates.isFinal(past.state)) return true;
  const code = past.state === 'WAITING' ? past.reason?.code : undefined;
  return code === 'WALLTIME_OVER' || (mayMove && code === 'GIVEN_BACK');
}
