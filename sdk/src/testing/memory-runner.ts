import { PilothouseError } from '../errors/index.js';
import type { FunctionReference, TaskRecord } from '../schemas/index.js';
import { functionName } from '../views/task-words.js';
import type { MemoryBridge } from './memory-bridge.js';
import type { Script } from './script.js';

/** Lets tasks come to the end that the script says. */
export class MemoryRunner {
  readonly #bridge: MemoryBridge;
  readonly #script: Script;
  readonly #stdout = new Map<string, string>();

  constructor(bridge: MemoryBridge, script: Script) {
    this.#bridge = bridge;
    this.#script = script;
  }

  /** Runs it soon; never throws. */
  start(task: TaskRecord): void {
    queueMicrotask(() => void this.#run(task));
  }

  stdout(id: string): string {
    return this.#stdout.get(id) ?? '';
  }

  async #run(task: TaskRecord): Promise<void> {
    const { call, command = [] } = task.description;
    if (call) return this.#call(task, call.function, call.args && 'json' in call.args ? call.args.json : []);
    const { exitCode, stdout } = this.#script.task(command);
    this.#stdout.set(task.id, stdout);
    if (exitCode === 0) return this.#bridge.move(task.id, 'DONE', { exitCode });
    const error = new PilothouseError('TASK_FAILED', `Task ${task.name} ended with exit code ${exitCode}.`, {
      ids: { task: task.id },
    });
    this.#bridge.move(task.id, 'FAILED', { exitCode, error: error.toJSON() });
  }

  async #call(task: TaskRecord, reference: FunctionReference, args: unknown): Promise<void> {
    try {
      const key = 'python' in reference ? reference.python : functionName(reference);
      const run = this.#script.functions[key];
      if (!run) throw new RangeError(`the test session has no function "${key}"`);
      const value: unknown = await Reflect.apply(run, undefined, Array.isArray(args) ? args : [args]);
      this.#bridge.move(task.id, 'DONE', { value: { json: value ?? null } });
    } catch (cause) {
      const thrown = cause instanceof Error ? cause : new Error(String(cause));
      const error = new PilothouseError('FUNCTION_RAISED', `${thrown.name}: ${thrown.message}`, {
        ids: { task: task.id },
        evidence: thrown.stack,
      });
      const exception = { type: thrown.name, message: thrown.message, traceback: thrown.stack ?? '' };
      this.#bridge.move(task.id, 'FAILED', { error: error.toJSON(), exception });
    }
  }
}
