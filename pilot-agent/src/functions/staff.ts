import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { toErrorData } from '@pilothouse/sdk/shared';
import { Planner } from '../environments/planner.js';
import type { SpawnExit } from '../launcher/spawn.js';
import { log } from '../log.js';
import type { NodeContext } from '../node-context.js';
import type { Grant } from '../scheduler/demand.js';
import { PILOT_VARIABLE, SPAWN_VARIABLE } from '../tasks/environment.js';
import { spawnFailed } from '../tasks/task-end.js';
import { callLost, workerFailed, workerLost } from './ends.js';
import { Listener } from './listener.js';
import { type CallResult, readResult, type WorkerMessage } from './messages.js';
import type { Pool } from './pool.js';
import { workerWork } from './spec.js';
import { firstNumber, Worker } from './worker.js';
import { WorkerFiles, workersIn } from './worker-files.js';

/** Milliseconds for which the last words of a worker that has ended are waited for on its connection. */
const LAST_WORDS_MS = 2000;

interface Member {
  readonly worker: Worker;
  /** Undefined for a worker of an earlier agent, until its pool is needed. */
  pool: Pool | undefined;
  socket: Socket | undefined;
  exit: { readonly code: number; readonly exit: SpawnExit } | undefined;
  /** It has said hello at least once. */
  heard: boolean;
  over: boolean;
}

/** What workers tell those who hand out calls. */
export interface StaffHooks {
  /** A worker has told the end of a call, and keeps it until it is acknowledged. */
  told(runId: string, worker: Worker): void;
  /** A result that nobody has asked for yet: of a call that an earlier agent gave. */
  early(result: CallResult): void;
  /** A worker that belongs to no pool has nothing more to do. */
  free(worker: Worker): void;
}

/** All worker processes of a pilot: starts them, listens to them, notices when they are gone. */
export class Staff {
  readonly #context: NodeContext;
  readonly #hooks: StaffHooks;
  readonly #planner: Planner;
  readonly #members = new Map<string, Member>();
  readonly #folder: string;
  readonly #listener: Listener;
  #listening: Promise<void> | undefined;

  constructor(context: NodeContext, hooks: StaffHooks) {
    const { pilot } = context;
    this.#context = context;
    this.#hooks = hooks;
    this.#planner = new Planner();
    this.#folder = join(pilot.runtimeDir, 'p', pilot.id, 'f');
    this.#listener = new Listener(join(pilot.runtimeDir, 'f', `${pilot.id}.sock`), {
      greeted: (hello, socket) => this.#greeted(hello, socket),
      said: (id, message) => this.#said(id, message),
      settled: (id) => this.#goOn(this.#members.get(id)),
      gone: (id, socket) => this.#gone(id, socket),
    });
  }

  /**
   * Takes over the workers of an earlier agent. From then on they begin nothing that it has sent them and that they have
   * not begun yet.
   *
   * @returns by run, where it has begun: a worker, or undefined where that has ended while no agent looked
   */
  takeOver(): Map<string, { readonly worker: Worker; readonly number: number } | undefined> {
    const begun = new Map<string, { worker: Worker; number: number } | undefined>();
    const { warden } = this.#context;
    for (const id of workersIn(this.#folder)) {
      const files = new WorkerFiles(join(this.#folder, id));
      const alive = warden.found.get(id)?.state === 'running';
      if (alive) files.forbid(0, firstNumber());
      const worker = new Worker(id, files);
      for (const [number, run] of files.begun()) begun.set(run, alive ? { worker, number } : undefined);
      if (alive) {
        const member = this.#enlist(worker, undefined);
        void this.#listen();
        warden.adopt(id, this.#watcher(member, id));
      } else warden.acknowledge([id]);
    }
    return begun;
  }

  /** Workers of an earlier agent that belong to a pool of this key. */
  inherit(pool: Pool): Worker[] {
    const found: Worker[] = [];
    for (const member of this.#members.values()) {
      if (member.pool !== undefined || member.worker.files.card()?.pool !== pool.spec.key) continue;
      member.pool = pool;
      found.push(member.worker);
    }
    return found;
  }

  /** Starts a worker; its pool hears when it is there, or is told why not. */
  spawn(pool: Pool, grant: Grant): Worker {
    const id = `worker-${randomBytes(8).toString('hex')}`;
    const worker = new Worker(id, new WorkerFiles(join(this.#folder, id)));
    const member = this.#enlist(worker, pool);
    this.#start(member, pool, grant).catch((error: unknown) => this.#notStarted(member, error));
    return worker;
  }

  /** Ends a worker and whatever it is at. */
  end(worker: Worker, grace: number, signal: 'TERM' | 'INT' | 'USR1' | 'USR2' | 'HUP' | undefined): void {
    worker.leaving = true;
    this.#context.warden.end([worker.id], grace, signal);
  }

  /** Lets workers go that belong to nobody any more. */
  dismissIdle(since: number): void {
    for (const { worker, pool, heard } of this.#members.values()) {
      if (pool === undefined && heard && !worker.busy && !worker.dismissed && worker.restsSince < since)
        worker.dismiss();
    }
  }

  get size(): number {
    return this.#members.size;
  }

  close(): void {
    if (this.#listening !== undefined) this.#listener.close();
  }

  #enlist(worker: Worker, pool: Pool | undefined): Member {
    const member: Member = { worker, pool, socket: undefined, exit: undefined, heard: false, over: false };
    this.#members.set(worker.id, member);
    return member;
  }

  #listen(): Promise<void> {
    this.#listening ??= this.#listener.open();
    return this.#listening;
  }

  async #start(member: Member, pool: Pool, grant: Grant): Promise<void> {
    const { pilot, warden } = this.#context;
    const { worker } = member;
    const { id, files } = worker;
    await this.#listen();
    const mark = `${SPAWN_VARIABLE}=${id}`;
    const gpuVariable = pilot.gpuVendor === 'amd' ? 'ROCR_VISIBLE_DEVICES' : 'CUDA_VISIBLE_DEVICES';
    const own = {
      ...(pilot.gpus > 0 ? { [gpuVariable]: grant.gpus.join(',') } : {}),
      ...pool.spec.own,
      [SPAWN_VARIABLE]: id,
      [PILOT_VARIABLE]: pilot.id,
    };
    const places = { socket: this.#listener.path, id, folder: files.folder, values: join(pilot.folder, 'values') };
    files.create({ pool: pool.spec.key, demand: pool.demand, gpus: grant.gpus });
    const work = workerWork(pool.spec, places, own);
    const plan = await this.#planner.plan(work);
    const memory = grant.nodes[0]?.memory ?? 0;
    warden.spawn(
      {
        id,
        mark,
        path: plan.path,
        argv: plan.argv,
        env: plan.env,
        own: plan.own,
        cwd: work.cwd,
        stdout: join(files.folder, 'out'),
        stderr: join(files.folder, 'err'),
        cpus: pilot.cpus,
        memory: memory > 0 ? memory : null,
      },
      this.#watcher(member, plan.argv[0] ?? plan.path),
    );
  }

  #watcher(member: Member, program: string) {
    return {
      started: (pid: number) => {
        member.worker.pid = pid;
      },
      exited: (code: number, exit: SpawnExit) => {
        member.exit = { code, exit };
        // What it said last may still be on its way.
        if (member.socket === undefined) this.#over(member, program);
        else setTimeout(() => this.#over(member, program), LAST_WORDS_MS).unref();
      },
      failed: (failure: { errno: number | null; message: string }) => {
        this.#notStarted(member, spawnFailed(program, failure));
      },
      lost: () => this.#over(member, program),
    };
  }

  #notStarted(member: Member, error: unknown): void {
    if (member.over) return;
    this.#remove(member);
    log(`a worker cannot be started (${member.worker.id})`, error);
    member.pool?.lost(member.worker, []);
    member.pool?.failed(toErrorData(error));
  }

  /** Everything of it is gone, and everything it said has been heard. */
  #over(member: Member, program: string): void {
    if (member.over) return;
    const { worker, pool, exit } = member;
    const { begun, back } = worker.takeApart();
    const lastWords = worker.files.lastWords();
    this.#remove(member);
    for (const call of begun) {
      if (call.ending !== undefined) call.canceled();
      else if (exit === undefined) call.ended(callLost(call.id));
      else call.ended(workerLost(call.name, call.id, exit.code, exit.exit, lastWords));
    }
    if (pool !== undefined) pool.lost(worker, back);
    else this.#hooks.free(worker);
    // One that ends before it has done anything would be followed by others that do the same.
    if (exit !== undefined && begun.length === 0 && !worker.useful && !worker.leaving && pool?.isHopeless(exit.code)) {
      pool.failed(workerFailed(program, exit.code, lastWords));
    }
  }

  #remove(member: Member): void {
    member.over = true;
    const { worker } = member;
    this.#members.delete(worker.id);
    worker.files.remove();
    this.#context.warden.acknowledge([worker.id]);
  }

  // What workers say

  #greeted(hello: Extract<WorkerMessage, { type: 'hello' }>, socket: Socket): string | undefined {
    const member = this.#members.get(hello.worker);
    if (member === undefined) return undefined;
    const { worker } = member;
    member.socket?.destroy();
    member.socket = socket;
    member.heard = true;
    this.#results(member, hello.results);
    // It is at nothing while it greets: what it has not told it never will.
    const { begun, back } = worker.takeApart();
    for (const call of begun) call.ended(callLost(call.id));
    worker.greeted(socket, hello);
    member.pool?.again(back);
    return worker.id;
  }

  #said(id: string, message: WorkerMessage): void {
    const member = this.#members.get(id);
    if (member === undefined) return;
    const { worker, pool } = member;
    switch (message.type) {
      case 'results':
        this.#results(member, message.results);
        break;
      case 'skipped': {
        const call = worker.skipped(message.upto);
        pool?.again(call === undefined ? [] : [call]);
        break;
      }
      case 'stale':
        worker.leaving = true;
        pool?.again(worker.notBegun(message.from));
        break;
      case 'hello':
        break;
    }
  }

  #results({ worker, pool }: Member, values: readonly unknown[]): void {
    for (const value of values) {
      const result = readResult(value);
      const call = worker.took(result);
      this.#hooks.told(result.runId, worker);
      if (call === undefined) this.#hooks.early(result);
      else call.finished(result, this.#context.output);
    }
    if (values.length > 0) pool?.hasHope();
  }

  #goOn(member: Member | undefined): void {
    if (member === undefined) return;
    const { worker, pool } = member;
    if (pool !== undefined) pool.pump();
    else if (!worker.busy) this.#hooks.free(worker);
  }

  #gone(id: string, socket: Socket): void {
    const member = this.#members.get(id);
    if (member === undefined || member.socket !== socket) return;
    member.socket = undefined;
    member.worker.disconnected();
    if (member.exit !== undefined) this.#over(member, id);
  }
}
