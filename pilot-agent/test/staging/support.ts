import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  type PilothouseError,
  type StagingDirective,
  type StagingReport,
  stagingDirectiveSchema,
} from '@pilothouse/sdk/shared';
import { Staging } from '../../src/staging/staging.js';

/** Containers often refuse it even to root. */
export const mayMount = spawnSync('unshare', ['--mount', 'true']).status === 0;

/** A caller's folder and a task's, with nothing of anybody else's. */
export class Place {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'phs-')));
  readonly caller = join(this.root, 'caller');
  readonly cwd = join(this.root, 'cwd');
  readonly #mounts: string[] = [];
  readonly #staging: Staging;
  readonly #abort = new AbortController();
  /** All that was told of the last call. */
  told: (readonly StagingReport[])[] = [];
  onReport: (reports: readonly StagingReport[]) => void = () => undefined;
  env: Record<string, string> = { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: this.root };

  constructor() {
    this.#staging = new Staging(this.root);
    mkdirSync(this.caller);
    mkdirSync(this.cwd);
  }

  /** Writes files below the root. */
  write(files: Readonly<Record<string, string | Buffer>>): void {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(this.root, path)), { recursive: true });
      writeFileSync(join(this.root, path), content);
    }
  }

  /** Mounts a file system of its own at a folder below the root. */
  mount(folder: string, options: string): string {
    const path = join(this.root, folder);
    mkdirSync(path, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]);
    this.#mounts.push(path);
    return path;
  }

  stage(direction: 'in' | 'out', ...directives: StagingDirective[]): Promise<readonly StagingReport[]> {
    this.told = [];
    const order = {
      id: 'task-0000000001',
      attempt: 1,
      directives: directives.map((directive) => stagingDirectiveSchema.parse(directive)),
      from: this.caller,
      cwd: this.cwd,
      env: this.env,
      signal: this.#abort.signal,
      report: (reports: readonly StagingReport[]): void => {
        this.told.push(reports);
        this.onReport(reports);
      },
    };
    return direction === 'in' ? this.#staging.stageIn(order) : this.#staging.stageOut(order);
  }

  cancel(): void {
    this.#abort.abort();
  }

  remove(): void {
    for (const path of this.#mounts) execFileSync('umount', ['-l', path]);
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** What a call was refused with. */
export async function refusal(call: Promise<unknown>): Promise<PilothouseError> {
  const error: unknown = await call.then(
    () => new Error('it was not refused'),
    (reason: unknown) => reason,
  );
  return error as PilothouseError;
}
