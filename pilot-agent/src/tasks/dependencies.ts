import { PilothouseError, type SpooledTask, type TaskState, taskStates } from '@pilothouse/sdk/shared';

type Dependency = NonNullable<SpooledTask['after']>[number];

/** Something that waits for tasks to end. */
export interface Dependent {
  readonly id: string;
  readonly after: readonly Dependency[];
  /** One of them has ended. */
  dependencyEnded(): void;
}

/** Whether all that comes before a task has come. */
export type Precondition =
  | { readonly state: 'met' }
  | { readonly state: 'waits'; readonly text: string; readonly evidence: readonly string[] }
  /** It can no longer be met. `needed`: the task was to run; else it was only there in case of the other outcome. */
  | { readonly state: 'never'; readonly needed: boolean; readonly error: PilothouseError };

const MET: Precondition = { state: 'met' };

/** Which tasks have ended, here and elsewhere, and who waits for which. */
export class Dependencies {
  readonly #ended = new Map<string, TaskState>();
  readonly #waiting = new Map<string, Set<Dependent>>();
  readonly #nameOf: (id: string) => string | undefined;
  readonly #queue: string[] = [];
  #telling = false;

  constructor(nameOf: (id: string) => string | undefined) {
    this.#nameOf = nameOf;
  }

  /** A task has ended; whoever waits for it is told. */
  settle(id: string, state: TaskState): void {
    if (!taskStates.isFinal(state) || this.#ended.has(id)) return;
    this.#ended.set(id, state);
    this.#queue.push(id);
    // One that fails takes the next with it, and so on: a chain of ten thousand must not become as deep a stack.
    if (this.#telling) return;
    this.#telling = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const waiting = this.#waiting.get(next);
      this.#waiting.delete(next);
      for (const one of waiting ?? []) one.dependencyEnded();
    }
    this.#telling = false;
  }

  /** Has a task told when what it waits for ends. */
  await(one: Dependent): void {
    for (const { task } of one.after) {
      if (this.#ended.has(task)) continue;
      const waiting = this.#waiting.get(task) ?? new Set();
      this.#waiting.set(task, waiting.add(one));
    }
  }

  forget(one: Dependent): void {
    for (const { task } of one.after) {
      const waiting = this.#waiting.get(task);
      if (waiting?.delete(one) && waiting.size === 0) this.#waiting.delete(task);
    }
  }

  check(after: readonly Dependency[]): Precondition {
    const open: string[] = [];
    for (const { task, when } of after) {
      const state = this.#ended.get(task);
      if (state === undefined) open.push(task);
      else if (!meets(state, when))
        return { state: 'never', needed: when !== 'failed', error: this.#unmet(task, state, when) };
    }
    const [first, ...others] = open;
    if (first === undefined) return MET;
    const more = others.length === 0 ? '' : ` and ${others.length} other${others.length === 1 ? '' : 's'}`;
    const text = `waits for task ${this.#nameOf(first) ?? first}${more}`;
    return { state: 'waits', text, evidence: open.slice(0, 20) };
  }

  #unmet(task: string, state: TaskState, when: Dependency['when']): PilothouseError {
    const name = this.#nameOf(task) ?? task;
    const options = { ids: { dependency: task }, evidence: `${task} is ${state}` };
    if (when === 'failed') {
      return new PilothouseError('DEPENDENCY_FAILED', `not needed: task ${name} did not fail, it is ${state}`, {
        ...options,
        hint: 'Nothing to do: it was there only in case the other failed.',
      });
    }
    const what = state === 'CANCELED' ? 'was canceled' : 'failed';
    return new PilothouseError('DEPENDENCY_FAILED', `task ${name}, which comes first, ${what}`, {
      ...options,
      hint: `Look at why ${name} ${what}, put it right and submit both again.`,
    });
  }
}

function meets(state: TaskState, when: Dependency['when']): boolean {
  if (when === 'finished') return true;
  return when === 'done' ? state === 'DONE' : state === 'FAILED';
}
