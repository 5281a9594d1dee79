import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskRecord } from './api.js';
import type { Stack } from './stack.js';

// Appends its name to one file in a single write, then runs until it is told to end.
const PROGRAM = `
import os, sys, time
name, folder, status = sys.argv[1:]
out = os.open(os.path.join(folder, "started"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
os.write(out, (name + "\\n").encode())
os.close(out)
end = os.path.join(folder, "end")
while not os.path.exists(end):
    time.sleep(0.2)
sys.exit(int(status))
`;

/** Tasks that all run at once, each saying once that it began, until the test lets them end; some of them then fail. */
export class Crowd {
  readonly #ids: readonly string[];
  readonly #names: readonly string[];

  private constructor(
    private readonly stack: Stack,
    private readonly folder: string,
    records: readonly TaskRecord[],
  ) {
    this.#ids = records.map((record) => record.id);
    this.#names = records.map((record) => record.name);
  }

  /** @param folder - in the workspace; one for each crowd */
  static async submit(stack: Stack, folder: string, size: number): Promise<Crowd> {
    stack.write(`${folder}.py`, PROGRAM);
    stack.makeFolder(folder);
    const descriptions = Array.from({ length: size }, (_, n) => ({
      name: `${folder}.${n}`,
      command: ['python3', `${folder}.py`, `${folder}.${n}`, folder, String(statusOf(n))],
      cores: 0,
    }));
    return new Crowd(stack, folder, await stack.api.submitTasks(descriptions));
  }

  /** Names of those that have said that they began, as often as they said so. */
  started(): string[] {
    const file = join(this.stack.workspace, this.folder, 'started');
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean).toSorted() : [];
  }

  get names(): string[] {
    return this.#names.toSorted();
  }

  /** What the bridge says about each, in the order they were submitted. */
  async states(): Promise<string[]> {
    const all = new Map((await this.stack.api.tasks()).map((task) => [task.id, task]));
    return this.#ids.map((id) => {
      const task = all.get(id);
      return task === undefined ? 'unknown' : [task.state, task.exitCode].filter((part) => part !== null).join(' ');
    });
  }

  /** How they must end. */
  get ends(): string[] {
    return this.#ids.map((_, n) => (statusOf(n) === 0 ? 'DONE 0' : `FAILED ${statusOf(n)}`));
  }

  /** Lets all of them end. */
  release(): void {
    this.stack.write(join(this.folder, 'end'), '');
  }
}

/** Every fifth one fails. */
function statusOf(n: number): number {
  return n % 5 === 4 ? 3 : 0;
}
