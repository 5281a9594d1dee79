import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type ErrorData, type PilotFile, toErrorData } from '@pilothouse/sdk/shared';
import { type Plan, Planner } from '../environments/planner.js';
import type {
  EndSignal,
  SpawnExit,
  SpawnFailure,
  SpawnOrder,
  SpawnWatcher,
  WardenClient,
} from '../launcher/warden-client.js';
import { log } from '../log.js';
import type { Public } from '../node-context.js';
import type { Output } from '../output/output.js';
import { SPAWN_VARIABLE } from './environment.js';
import type { RunEnd, Runner, RunWatcher } from './runner.js';
import { outputHadNoRoom, processEnd, spawnFailed } from './task-end.js';
import type { Work } from './work.js';

/** What of the node commands need. */
interface Node {
  readonly pilot: PilotFile;
  readonly warden: Public<WardenClient>;
  readonly output: Public<Output>;
}

interface Run {
  readonly id: string;
  readonly name: string;
  readonly ownFiles: boolean;
  readonly watcher: RunWatcher;
  /** Its end was asked for before there was anything to end. */
  ended: boolean;
  spawned: boolean;
}

/** Runs commands as processes of their own, by the warden. */
export class CommandRunner implements Runner {
  readonly asksItself = false;
  readonly #node: Node;
  readonly #planner: Planner;
  readonly #runs = new Map<string, Run>();

  constructor(node: Node, nodeName: (node: number) => string) {
    this.#node = node;
    this.#planner = new Planner(nodeName);
  }

  start(work: Work, watcher: RunWatcher): void {
    const { id, name, runId, description } = work;
    const run: Run = { id, name, ownFiles: description.ownFiles, watcher, ended: false, spawned: false };
    this.#runs.set(runId, run);
    try {
      const plan = this.#planner.plan(work);
      if (!(plan instanceof Promise)) this.#spawn(work, plan, run);
      else {
        plan.then(
          (ready) => this.#spawn(work, ready, run),
          (error: unknown) => this.#failed(work.runId, run, error),
        );
      }
    } catch (error) {
      this.#failed(work.runId, run, error);
    }
  }

  adopt(runId: string, watcher: RunWatcher): boolean {
    const { warden, output } = this.#node;
    const seen = warden.found.get(runId);
    if (seen === undefined) return false;
    const id = runId.slice(0, runId.lastIndexOf(':'));
    const run: Run = { id, name: id, ownFiles: false, watcher, ended: false, spawned: true };
    this.#runs.set(runId, run);
    output.adopt(id, seen);
    warden.adopt(runId, this.#watcher(runId, run));
    return true;
  }

  end(runId: string, grace: number, signal?: EndSignal): void {
    const run = this.#runs.get(runId);
    if (run === undefined) return;
    run.ended = true;
    if (run.spawned) this.#node.warden.end([runId], grace, signal);
  }

  acknowledge(runId: string): void {
    this.#node.warden.acknowledge([runId]);
  }

  explain(runId: string): { text: string; evidence: string[] } | undefined {
    const run = this.#runs.get(runId);
    if (run === undefined || run.spawned) return undefined;
    return { text: 'its environment is being looked up', evidence: [] };
  }

  #spawn(work: Work, plan: Plan, run: Run): void {
    const { pilot, warden, output } = this.#node;
    const { id, runId, grant, cwd, description } = work;
    if (run.ended) {
      this.#over(runId);
      run.watcher.ended({ ok: false, kind: 'signal' });
      return;
    }
    run.spawned = true;
    const memory = grant?.nodes[0]?.memory ?? 0;
    warden.spawn(
      {
        id: runId,
        mark: `${SPAWN_VARIABLE}=${runId}`,
        path: plan.path,
        argv: plan.argv,
        ...variables(plan),
        cwd,
        ...output.lend(id),
        cpus: description.bind ? boundCpus(pilot, work) : pilot.cpus,
        memory: memory > 0 ? memory : null,
      },
      this.#watcher(runId, run),
    );
  }

  #watcher(runId: string, run: Run): SpawnWatcher {
    return {
      started: (pid) => run.watcher.started(pid),
      exited: (code, exit) => {
        run.watcher.gone();
        void this.#exited(runId, run, code, exit);
      },
      failed: (failure: SpawnFailure) => this.#failed(runId, run, spawnFailed(run.name, failure)),
      lost: () => {
        this.#over(runId);
        run.watcher.ended({ ok: false, kind: 'lost' });
      },
    };
  }

  async #exited(runId: string, run: Run, code: number, exit: SpawnExit): Promise<void> {
    const { output } = this.#node;
    const { id, ownFiles } = run;
    const end: RunEnd = {
      ok: code === 0 && exit.oom === null,
      kind: code < 0 ? 'signal' : 'exit',
      ...processEnd(code),
      ...(exit.usage === null ? {} : { usage: { ...exit.usage, gpuUtil: null, gpuMemoryPeak: null } }),
      ...(exit.oom === null ? {} : { oom: exit.oom }),
    };
    this.#over(runId);
    try {
      const stderrTail = code === 0 || exit.output?.stderr === 0 ? '' : await output.stderrTail(id);
      const error = code > 0 && stderrTail === '' ? await this.#withoutRoom(id, run, end) : undefined;
      const range = output.pack(id, exit.output, ownFiles);
      const kept = range instanceof Promise ? await range : range;
      run.watcher.ended({ ...end, output: kept, ...(stderrTail ? { stderrTail } : {}), ...(error ? { error } : {}) });
    } catch (error) {
      // Its end is known even where its output cannot be kept; the node's files then stay.
      log(`output of ${id} cannot be packed`, error);
      output.leave(id);
      run.watcher.ended(end);
    }
  }

  /** Programs that cannot write cannot say so either. */
  async #withoutRoom(id: string, run: Run, end: RunEnd): Promise<ErrorData | undefined> {
    const folder = join(this.#node.pilot.runtimeDir, 'p', this.#node.pilot.id);
    const disk = await statfs(folder).catch(() => undefined);
    return disk?.bavail === 0 ? outputHadNoRoom(id, run.name, end, folder) : undefined;
  }

  #failed(runId: string, run: Run, error: unknown): void {
    this.#over(runId);
    run.watcher.ended({ ok: false, kind: 'start', error: toErrorData(error) });
  }

  #over(runId: string): void {
    this.#runs.delete(runId);
  }
}

/** Numbers of the CPUs that belong to the granted cores. */
function boundCpus({ cpus }: PilotFile, { grant }: Work): readonly number[] | null {
  const cores = grant?.nodes[0]?.cores ?? [];
  if (cores.length === 0) return cpus;
  return cpus === null ? cores : cores.flatMap((core) => cpus[core] ?? []);
}

/** Variables of a process; those of the attempt alone apart from the shared ones, where the two do not meet. */
function variables({ env, own }: Plan): Pick<SpawnOrder, 'env' | 'own'> {
  for (const name in own) if (name in env) return { env: { ...env, ...own } };
  return { env, own };
}
