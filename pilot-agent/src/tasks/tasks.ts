import { type PilothouseError, type TaskSpec, taskStates } from '@pilothouse/sdk/shared';
import { log } from '../log.js';
import type { NodeContext } from '../node-context.js';
import type { Supervisor } from '../supervisor/supervisor.js';
import { Task } from './task.js';
import { pilotEnded } from './task-end.js';

/** All tasks of a pilot. */
export class Tasks {
  readonly #context: NodeContext;
  readonly #services: Supervisor;
  readonly #live = new Map<string, Task>();
  readonly #whenEmpty: (() => void)[] = [];
  #done = 0;
  #failed = 0;
  #running = 0;
  #ended: PilothouseError | undefined;

  constructor(context: NodeContext, services: Supervisor) {
    this.#context = context;
    this.#services = services;
    for (const { id, state, output } of context.past.tasks.values()) {
      if (output) context.output.remember(id, output);
      if (taskStates.isFinal(state)) this.#count(state);
    }
    services.onChange(() => {
      for (const task of [...this.#live.values()]) task.servicesChanged();
    });
  }

  get usage(): { running: number; done: number; failed: number } {
    return { running: this.#running, done: this.#done, failed: this.#failed };
  }

  /** Whether this task is here and has not ended. */
  has(id: string): boolean {
    return this.#live.has(id);
  }

  /** How many wait for services; the scheduler counts the others that wait. */
  get waiting(): number {
    let count = 0;
    for (const task of this.#live.values()) if (task.state === 'WAITING') count += 1;
    return count;
  }

  /** Takes a task from the spool, once; what ended under an earlier agent stays as it is. */
  submit(spec: TaskSpec): void {
    const past = this.#context.past.tasks.get(spec.id);
    if (this.#live.has(spec.id)) return;
    if (past !== undefined && taskStates.isFinal(past.state)) {
      // The end is in the journal; the agent that wrote it may have been killed before it told the warden.
      this.#context.warden.acknowledge([`${spec.id}:1`]);
      void this.#context.output
        .discard(spec.id)
        .catch((error: unknown) => log(`output of ${spec.id} is left on the node`, error));
      return;
    }
    const task: Task = new Task(this.#context, this.#services, spec, past, {
      running: (change) => {
        this.#running += change;
      },
      ended: (state) => {
        this.#live.delete(spec.id);
        this.#count(state);
        if (this.#live.size === 0) for (const done of this.#whenEmpty.splice(0)) done();
      },
    });
    this.#live.set(spec.id, task);
    task.begin();
    if (this.#ended) task.cancel(this.#ended);
  }

  cancel(id: string): void {
    this.#live.get(id)?.cancel(undefined);
  }

  /** Ends all tasks, and those that still come; resolves when none is left. */
  endAll(why: string): Promise<void> {
    this.#ended = pilotEnded(this.#context.pilot.id, why);
    for (const task of [...this.#live.values()]) task.cancel(this.#ended);
    if (this.#live.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  /** Writes down that nobody knows how what ran has ended. */
  loseAll(): void {
    for (const task of [...this.#live.values()]) task.lose();
  }

  #count(state: string): void {
    if (state === 'DONE') this.#done += 1;
    else if (state === 'FAILED') this.#failed += 1;
  }
}
