import { PilothouseError, type ResolvedTaskDescription, type StagingReport } from '@pilothouse/sdk/shared';
import type { AttemptOwner } from './attempt-owner.js';
import type { TaskHost } from './task-host.js';

/** The data of one attempt, on its way in and out. */
export class AttemptData {
  readonly #host: TaskHost;
  readonly #owner: AttemptOwner;
  readonly #number: number;
  #abort: AbortController | undefined;
  #canceled = false;
  #reports: StagingReport[] | undefined;

  constructor(host: TaskHost, owner: AttemptOwner, number: number) {
    this.#host = host;
    this.#owner = owner;
    this.#number = number;
  }

  /** What is known of all directives by now. */
  get reports(): readonly StagingReport[] | undefined {
    return this.#reports;
  }

  /** Whether anything is on the way. */
  get moves(): boolean {
    return this.#abort !== undefined;
  }

  /** Stops what is under way. */
  cancel(): void {
    this.#canceled = true;
    this.#abort?.abort();
  }

  /** @throws PilothouseError what staging threw, or TASK_CANCELED */
  async move(direction: 'in' | 'out', description: ResolvedTaskDescription, cwd: string): Promise<void> {
    const { submission, id, name } = this.#owner;
    const { stages, staging } = this.#host;
    const abort = new AbortController();
    this.#abort = abort;
    const before = this.#reports ?? [];
    const report = (reports: readonly StagingReport[]): void => {
      this.#reports = [...before, ...reports];
      staging.set(id, this.#reports);
    };
    const order = {
      id,
      attempt: this.#number,
      directives: direction === 'in' ? description.stageIn : description.stageOut,
      from: submission.cwd,
      cwd,
      env: { ...submission.env, ...description.env },
      signal: abort.signal,
      report,
    };
    try {
      report(direction === 'in' ? await stages.stageIn(order) : await stages.stageOut(order));
      if (this.#canceled) throw new PilothouseError('TASK_CANCELED', `${name} was ended`);
    } finally {
      this.#abort = undefined;
      staging.delete(id);
    }
  }
}
