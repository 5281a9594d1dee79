import { readFile } from 'node:fs/promises';
import {
  type ErrorData,
  type OutputRange,
  PilothouseError,
  type Reason,
  type TaskSpec,
  type TaskState,
  taskStates,
  toErrorData,
} from '@pilothouse/sdk/shared';
import type { JournalEntry } from '../journal/journal.js';
import type { Past } from '../journal/replay.js';
import { gpusOf } from '../launcher/found.js';
import { findProgram } from '../launcher/program.js';
import type { SpawnFailure, SpawnWatcher } from '../launcher/warden-client.js';
import { log } from '../log.js';
import { GRACE_SECONDS, type NodeContext } from '../node-context.js';
import type { Grant } from '../scheduler/demand.js';
import type { Supervisor } from '../supervisor/supervisor.js';
import { environmentOf, makeSandbox, SPAWN_VARIABLE } from './environment.js';
import { nodeLost, processEnd, spawnFailed, taskFailed } from './task-end.js';

type PastTask = Past['tasks'] extends ReadonlyMap<string, infer T> ? T : never;
type TaskEntry = Extract<JournalEntry, { type: 'task' }>;

/** What a task tells those who count. */
export interface TaskHooks {
  running(change: 1 | -1): void;
  ended(state: TaskState): void;
}

const ON_THE_WAY: readonly TaskState[] = ['SCHEDULING', 'LAUNCHING', 'RUNNING'];

/** One task, from the spool to its final record in the journal. */
export class Task {
  readonly #context: NodeContext;
  readonly #services: Supervisor;
  readonly #spec: TaskSpec;
  readonly #hooks: TaskHooks;
  readonly #spawnId: string;
  #state: TaskState;
  #grant: Grant | undefined;
  #spawned = false;
  #running = false;
  #over = false;
  #canceled = false;
  #cause: PilothouseError | undefined;

  constructor(
    context: NodeContext,
    services: Supervisor,
    spec: TaskSpec,
    past: PastTask | undefined,
    hooks: TaskHooks,
  ) {
    this.#context = context;
    this.#services = services;
    this.#spec = spec;
    this.#hooks = hooks;
    this.#spawnId = `${spec.id}:1`;
    this.#state = past?.state ?? 'NEW';
  }

  get state(): TaskState {
    return this.#state;
  }

  /** Goes on from wherever an earlier agent has left it. */
  begin(): void {
    const { warden, scheduler } = this.#context;
    const found = warden.found.get(this.#spawnId);
    if (found) {
      this.#spawned = true;
      this.#grant = scheduler.book({ id: this.#spec.id, demand: this.#spec, kind: 'task' }, [{ gpus: gpusOf(found) }]);
      warden.adopt(this.#spawnId, this.#watcher());
      return;
    }
    if (this.#state === 'RUNNING') {
      this.#fail(nodeLost(this.#spec.name, this.#spec.id));
      return;
    }
    const impossible = scheduler.pool.impossible(this.#spec);
    if (impossible) {
      const hint = 'ask for less, or use a larger pilot';
      this.#fail(new PilothouseError('INVALID_DESCRIPTION', impossible.text, { hint, field: impossible.field }));
      return;
    }
    // Launching was written down, but the warden has never heard of it.
    if (this.#state === 'LAUNCHING') this.#enter('WAITING');
    this.#proceed();
  }

  servicesChanged(): void {
    if (this.#state === 'WAITING') this.#proceed();
  }

  /** Ends it, whatever it does; `cause` says why when nobody asked for it. */
  cancel(cause: PilothouseError | undefined): void {
    if (this.#over || this.#canceled) return;
    this.#canceled = true;
    this.#cause = cause;
    if (this.#spawned) this.#context.warden.end([this.#spawnId], GRACE_SECONDS);
    else if (this.#context.scheduler.withdraw(this.#spec.id) || this.#grant === undefined) this.#end('CANCELED', {});
    // Otherwise the launch is under way and stops before it spawns.
  }

  /** The warden is gone for good. */
  lose(): void {
    this.#context.scheduler.withdraw(this.#spec.id);
    this.#fail(nodeLost(this.#spec.name, this.#spec.id));
  }

  /** Waits for the services it names, then for resources. */
  #proceed(): void {
    for (const service of this.#spec.services) {
      const readiness = this.#services.readiness(service);
      if (readiness.state === 'failed') {
        this.#fail(readiness.error);
        return;
      }
      if (readiness.state === 'waiting') {
        if (this.#state !== 'WAITING') this.#enter('WAITING', waits('WAITS_FOR_SERVICE', readiness.text));
        return;
      }
    }
    const { scheduler } = this.#context;
    scheduler.apply({
      id: this.#spec.id,
      demand: this.#spec,
      kind: 'task',
      granted: (grant) => void this.#launch(grant),
      waits: ({ code, text }) => this.#enter('SCHEDULING', waits(code, text)),
    });
  }

  async #launch(grant: Grant): Promise<void> {
    this.#grant = grant;
    this.#advance('LAUNCHING');
    const { pilot, warden, output } = this.#context;
    const { id, command } = this.#spec;
    try {
      const cwd = this.#spec.sandbox ? await makeSandbox(pilot.folder, id) : this.#spec.cwd;
      const env = { ...environmentOf(id, 1, pilot.id, this.#spec.env, grant), ...(await this.#serviceVariables()) };
      const path = await findProgram({ command, env, cwd });
      if (this.#canceled || this.#over) {
        this.#end('CANCELED', {});
        return;
      }
      this.#spawned = true;
      warden.spawn(
        {
          id: this.#spawnId,
          mark: `${SPAWN_VARIABLE}=${this.#spawnId}`,
          path,
          argv: command,
          env,
          cwd,
          stdout: output.livePath(id, 'stdout'),
          stderr: output.livePath(id, 'stderr'),
          cpus: pilot.cpus,
        },
        this.#watcher(),
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Address and key of the first service it names, as clients of OpenAI's API look for them. */
  async #serviceVariables(): Promise<Record<string, string>> {
    const [first] = this.#spec.services;
    if (first === undefined) return {};
    const readiness = this.#services.readiness(first);
    if (readiness.state !== 'ready') {
      throw new PilothouseError('SERVICE_NOT_READY', `service ${first} stopped answering`, {
        hint: 'Submit it again.',
      });
    }
    const { http, keyFile } = readiness.endpoint;
    const key = keyFile === null ? {} : { OPENAI_API_KEY: (await readFile(keyFile, 'utf8')).trim() };
    return { OPENAI_BASE_URL: `${http}/v1`, ...key };
  }

  #watcher(): SpawnWatcher {
    return {
      started: (pid) => {
        this.#running = true;
        this.#hooks.running(1);
        this.#advance('RUNNING', pid);
      },
      exited: (code) => void this.#exited(code),
      failed: (failure: SpawnFailure) => this.#fail(spawnFailed(this.#spec.name, failure)),
      lost: () => this.#fail(nodeLost(this.#spec.name, this.#spec.id)),
    };
  }

  async #exited(code: number): Promise<void> {
    this.#advance('RUNNING');
    this.#free();
    const { output } = this.#context;
    const { id, name } = this.#spec;
    const end = processEnd(code);
    const clean = code === 0 || this.#canceled;
    try {
      const stderrTail = clean ? '' : await output.stderrTail(id);
      const range = await output.pack(id);
      const common = { ...end, output: range, ...(stderrTail ? { stderrTail } : {}) };
      if (this.#canceled) this.#end('CANCELED', common);
      else if (code === 0) this.#end('DONE', common);
      else this.#end('FAILED', { ...common, error: taskFailed(id, name, end, stderrTail) });
    } catch (error) {
      // Its end is known even where its output cannot be kept; the node's files then stay.
      log(`output of ${id} cannot be packed`, error);
      if (this.#canceled) this.#end('CANCELED', end);
      else if (code === 0) this.#end('DONE', end);
      else this.#end('FAILED', { ...end, error: taskFailed(id, name, end, '') });
    }
  }

  #fail(error: unknown): void {
    const known = toErrorData(error);
    this.#end('FAILED', { error: { ...known, ids: { ...known.ids, task: this.#spec.id } } });
  }

  #end(
    state: 'DONE' | 'FAILED' | 'CANCELED',
    details: { exitCode?: number; signal?: string; stderrTail?: string; output?: OutputRange; error?: ErrorData },
  ): void {
    if (this.#over) return;
    this.#over = true;
    this.#free();
    const { warden, output } = this.#context;
    const { id } = this.#spec;
    const cause = state === 'CANCELED' && this.#cause ? { error: this.#cause.toJSON() } : {};
    this.#state = state;
    this.#context.journal.append({ type: 'task', id, state, reason: null, ...details, ...cause }, () => {
      if (this.#spawned) warden.acknowledge([this.#spawnId]);
      if (details.output) {
        output.discard(id).catch((error: unknown) => log(`output of ${id} is left on the node`, error));
      }
      this.#hooks.ended(state);
    });
  }

  /** Gives back what it holds; its process is gone, or never was. */
  #free(): void {
    if (this.#running) {
      this.#running = false;
      this.#hooks.running(-1);
    }
    const grant = this.#grant;
    this.#grant = undefined;
    if (grant) this.#context.scheduler.release(grant);
  }

  /** Enters every state on the way to this one that it has not been in. */
  #advance(target: 'LAUNCHING' | 'RUNNING', pid?: number): void {
    const from = ON_THE_WAY.indexOf(this.#state);
    for (const state of ON_THE_WAY.slice(from + 1, ON_THE_WAY.indexOf(target) + 1)) {
      this.#enter(state, undefined, state === 'RUNNING' ? pid : undefined);
    }
  }

  #enter(state: TaskState, reason?: Reason, pid?: number): void {
    if (this.#over || (state === this.#state && reason === undefined)) return;
    if (state !== this.#state && !taskStates.allows(this.#state, state)) {
      throw new RangeError(`a task does not go from ${this.#state} to ${state}`);
    }
    this.#state = state;
    const entry: TaskEntry = { type: 'task', id: this.#spec.id, state, reason: reason ?? null };
    this.#context.journal.append(pid === undefined ? entry : { ...entry, pid });
  }
}

function waits(code: string, text: string): Reason {
  return { code, text, since: new Date().toISOString() };
}
