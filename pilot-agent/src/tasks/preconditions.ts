import type { PilothouseError } from '@pilothouse/sdk/shared';
import type { Supervisor } from '../supervisor/supervisor.js';
import type { Dependencies, Dependent } from './dependencies.js';
import type { Inputs } from './inputs.js';

/** A task before it may ask for resources. */
export interface Expectant extends Dependent {
  readonly name: string;
  readonly services: readonly string[];
  readonly inputs: readonly string[];
  /** Folder that relative paths start from. */
  readonly caller: string;
  /** Nothing comes before it any more. */
  ready(): void;
  waits(code: string, text: string, evidence?: string): void;
  /** What it waits for can no longer come. `needed`: it was to run; else it was there in case of another outcome. */
  hopeless(error: PilothouseError, needed: boolean): void;
}

interface Shared {
  readonly dependencies: Dependencies;
  readonly services: Pick<Supervisor, 'readiness'>;
  readonly inputs: Inputs;
  readonly onServices: Set<Expectant>;
}

/** Waits for what comes before a task: other tasks, then services, then files. */
export class Preconditions {
  readonly #shared: Shared;
  readonly #task: Expectant;
  #closed = false;
  /** Stands for the task that brings a file. */
  #producer: Dependent | undefined;
  #looking = false;

  constructor(shared: Shared, task: Expectant) {
    this.#shared = shared;
    this.#task = task;
  }

  /** Looks again, and tells the task what it has found. */
  check(): void {
    if (this.#closed || this.#looking) return;
    const { dependencies, services, onServices } = this.#shared;
    const task = this.#task;
    const precondition = dependencies.check(task.after);
    if (precondition.state === 'never') {
      task.hopeless(precondition.error, precondition.needed);
      return;
    }
    if (precondition.state === 'waits') {
      dependencies.await(task);
      task.waits('WAITS_FOR_TASKS', precondition.text, precondition.evidence.join(', '));
      return;
    }
    for (const service of task.services) {
      const readiness = services.readiness(service);
      if (readiness.state === 'failed') {
        task.hopeless(readiness.error, true);
        return;
      }
      if (readiness.state === 'waiting') {
        onServices.add(task);
        task.waits('WAITS_FOR_SERVICE', readiness.text);
        return;
      }
    }
    onServices.delete(task);
    if (task.inputs.length === 0) task.ready();
    else void this.#lookForFiles();
  }

  close(): void {
    this.#closed = true;
    const { dependencies, onServices } = this.#shared;
    dependencies.forget(this.#task);
    if (this.#producer) dependencies.forget(this.#producer);
    onServices.delete(this.#task);
  }

  async #lookForFiles(): Promise<void> {
    const { inputs, dependencies } = this.#shared;
    const task = this.#task;
    this.#looking = true;
    const found = await inputs.check(task.inputs, task.caller, task.id);
    this.#looking = false;
    if (this.#closed) return;
    if (found.state === 'there') task.ready();
    else if (found.state === 'missing') task.hopeless(found.error, true);
    else {
      const producer: Dependent = {
        id: task.id,
        after: [{ task: found.producer, when: 'finished' }],
        dependencyEnded: () => {
          this.#producer = undefined;
          this.check();
        },
      };
      this.#producer = producer;
      task.waits('WAITS_FOR_DATA', found.text);
      // One that ended in the meantime is not waited for.
      if (dependencies.check(producer.after).state === 'met') producer.dependencyEnded();
      else dependencies.await(producer);
    }
  }
}
