import { unlink } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Placement } from '@pilothouse/sdk/shared';
import { HOST_NAME } from '../host-name.js';
import type { EndSignal } from '../launcher/spawn.js';
import { log } from '../log.js';
import type { NodeContext } from '../node-context.js';
import type { Grant } from '../scheduler/demand.js';
import { expectedSeconds } from '../tasks/description.js';
import type { RunEnd, Runner, RunWatcher } from '../tasks/runner.js';
import type { Work } from '../tasks/work.js';
import { Call } from './call.js';
import { callLost } from './ends.js';
import type { CallResult } from './messages.js';
import { Pool, type PoolHost } from './pool.js';
import { callOf, poolSpecOf } from './spec.js';
import { Staff } from './staff.js';
import type { Worker } from './worker.js';

/** Milliseconds for which a worker of an earlier agent waits for somebody who needs it. */
const STRAY_MS = 30_000;
/** How soon workers are looked after that were given several calls, or nothing. */
const SOON_MS = 20;
/** Files of arguments that clients have made for one call alone. */
const ARGUMENTS = /^args-[\w-]+\.(json|pickle)$/;

/** Runs functions in warm workers. */
export class FunctionRunner implements Runner {
  readonly asksItself = true;
  readonly #context: NodeContext;
  readonly #staff: Staff;
  readonly #pools = new Map<string, Pool>();
  /** Calls that were taken on and have not ended. */
  readonly #calls = new Map<string, { readonly call: Call; readonly pool: Pool | undefined }>();
  /** Who told the end of a call that is not in the journal yet. */
  readonly #toldBy = new Map<string, Worker>();
  /** Ends of calls that an earlier agent gave, until they are asked for. */
  readonly #early = new Map<string, CallResult>();
  /** What workers of an earlier agent have begun. */
  readonly #begun: ReturnType<Staff['takeOver']>;
  readonly #host: PoolHost;
  #timer: NodeJS.Timeout | undefined;
  #wakesAt = 0;
  #made = 0;

  constructor(context: NodeContext) {
    this.#context = context;
    this.#staff = new Staff(context, {
      told: (runId, worker) => this.#toldBy.set(runId, worker),
      early: (result) => this.#early.set(result.runId, result),
      free: (worker) => this.#free(worker),
    });
    this.#begun = this.#staff.takeOver();
    this.#host = {
      scheduler: context.scheduler,
      spawn: (pool, grant) => this.#staff.spawn(pool, grant),
      placed: (grant) => this.#placed(grant),
      wake: () => this.#wake(SOON_MS),
    };
    if (this.#staff.size > 0) this.#wake(STRAY_MS);
  }

  start(work: Work, watcher: RunWatcher): void {
    // An agent before this one may have been killed between handing it over and writing that down.
    if (this.#begun.size > 0 && this.#begun.has(work.runId)) {
      this.adopt(work.runId, watcher);
      return;
    }
    const spec = poolSpecOf(work, expectedSeconds(work.description));
    let pool = this.#pools.get(spec.key);
    if (pool === undefined) {
      this.#made += 1;
      pool = new Pool(`functions-${this.#made}`, spec, this.#host);
      this.#pools.set(spec.key, pool);
      for (const worker of this.#staff.inherit(pool)) pool.adopt(worker);
    }
    const call: Call = new Call(work.runId, watcher, work, (end) => this.#over(call, end));
    this.#calls.set(work.runId, { call, pool });
    pool.add(call);
  }

  adopt(runId: string, watcher: RunWatcher): boolean {
    if (!this.#begun.has(runId)) return false;
    const place = this.#begun.get(runId);
    const call: Call = new Call(runId, watcher, undefined, (end) => this.#over(call, end));
    this.#calls.set(runId, { call, pool: undefined });
    const early = this.#early.get(runId);
    this.#early.delete(runId);
    if (early !== undefined) call.finished(early, this.#context.output);
    else if (place === undefined) queueMicrotask(() => call.ended(callLost(call.id)));
    else {
      this.#book(place.worker);
      place.worker.adopt(place.number, call);
      call.started(place.worker.pid, place.worker.placement);
    }
    return true;
  }

  end(runId: string, grace: number, signal?: EndSignal): void {
    const found = this.#calls.get(runId);
    if (found === undefined) return;
    const { call, pool } = found;
    call.ending = { grace, signal };
    const worker = call.at;
    if (worker === undefined) {
      pool?.cancel(call);
      return;
    }
    // The others in this worker go on elsewhere; what is canceled in the queue ends at once.
    pool?.again(worker.takeBack());
    if (!call.over) this.#staff.end(worker, grace, signal);
  }

  acknowledge(runId: string): void {
    const worker = this.#toldBy.get(runId);
    this.#toldBy.delete(runId);
    worker?.acknowledge(runId);
  }

  explain(runId: string): { readonly text: string; readonly evidence: readonly string[] } | undefined {
    const found = this.#calls.get(runId);
    return found?.call.at === undefined ? found?.pool?.explain() : undefined;
  }

  /** Stops listening; the workers themselves end with the pilot. */
  close(): void {
    clearTimeout(this.#timer);
    this.#staff.close();
  }

  #over(call: Call, { ok }: RunEnd): void {
    this.#calls.delete(call.runId);
    const args = call.work && callOf(call.work).args;
    // Arguments of a call that failed are kept: it may be submitted again.
    if (!ok || args === undefined || !('file' in args)) return;
    const { file } = args;
    if (!ARGUMENTS.test(basename(file)) || basename(dirname(file)) !== 'values') return;
    unlink(file).catch((error: unknown) => log(`${file} is left`, error));
  }

  /** Books what a worker of an earlier agent uses. */
  #book(worker: Worker): void {
    if (worker.grant !== undefined) return;
    const card = worker.files.card();
    if (card === undefined) return;
    const place = card.gpus.length > 0 ? [{ gpus: card.gpus }] : [];
    const grant = this.#context.scheduler.book({ id: worker.id, demand: card.demand, kind: 'task' }, place);
    worker.holds(grant, this.#placed(grant));
  }

  /** A worker that belongs to no pool has nothing more to do. */
  #free(worker: Worker): void {
    const grant = worker.releases();
    if (grant !== undefined) this.#context.scheduler.release(grant);
  }

  #placed(grant: Grant): Placement {
    const [share] = grant.nodes;
    return { node: HOST_NAME, cores: [...(share?.cores ?? [])], gpus: [...grant.gpus] };
  }

  /** Looks after workers within so many milliseconds, and for as long as there are any. */
  #wake(within: number): void {
    const at = performance.now() + within;
    if (this.#timer !== undefined && this.#wakesAt <= at) return;
    clearTimeout(this.#timer);
    this.#wakesAt = at;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#look();
    }, within);
  }

  #look(): void {
    const now = performance.now();
    let next = STRAY_MS;
    for (const [key, pool] of this.#pools) {
      next = Math.min(next, pool.tick(now));
      if (pool.empty) this.#pools.delete(key);
    }
    this.#staff.dismissIdle(now - STRAY_MS);
    if (this.#staff.size > 0 || this.#pools.size > 0) this.#wake(next);
  }
}
