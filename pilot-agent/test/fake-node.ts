import type { JournalRecord, PilotFile, TaskBatch } from '@pilothouse/sdk/shared';
import type { JournalEntry } from '../src/journal/journal.js';
import type { Past } from '../src/journal/replay.js';
import type { Seen } from '../src/launcher/warden-messages.js';
import type { NodeContext } from '../src/node-context.js';
import { Pool } from '../src/scheduler/pool.js';
import { Scheduler } from '../src/scheduler/scheduler.js';
import type { RunEnd, Runner, RunWatcher } from '../src/tasks/runner.js';
import type { Stages } from '../src/tasks/stages.js';
import { Tasks } from '../src/tasks/tasks.js';
import { Walltime } from '../src/tasks/walltime.js';
import type { Work } from '../src/tasks/work.js';

interface FakeRun {
  watcher: RunWatcher;
  started: boolean;
  asked: boolean;
  ended: RunEnd | undefined;
}

/** What outlives an agent: runs, and the journal. Attempts start, end and fail when a test says so. */
export class FakeNode {
  readonly runs = new Map<string, FakeRun>();
  readonly begun: string[] = [];
  readonly records: JournalRecord[] = [];
  readonly accounts: string[] = [];
  readonly stagings = new Set<{ resolve(): void; reject(): void }>();
  readonly batches: TaskBatch[] = [];
  /** Records that were added, and not yet written. */
  #unwritten: (() => void)[] = [];
  #epoch = 0;
  tasks: Tasks;
  scheduler: Scheduler;
  walltime: Walltime;

  constructor(readonly cores: number) {
    ({ tasks: this.tasks, scheduler: this.scheduler, walltime: this.walltime } = this.#agent());
    this.scheduler.begin();
  }

  /** Kills the agent, with what it had not written, and starts the next. */
  async restart(): Promise<void> {
    this.#unwritten = [];
    this.stagings.clear();
    await this.tasks.close();
    this.walltime.close();
    ({ tasks: this.tasks, scheduler: this.scheduler, walltime: this.walltime } = this.#agent());
    for (const batch of this.batches) this.tasks.submit(batch, { mayMove: false });
    this.scheduler.begin();
  }

  submit(batch: TaskBatch): void {
    this.batches.push(batch);
    this.tasks.submit(batch, { mayMove: false });
  }

  /** Makes everything durable that was added to the journal. */
  write(): void {
    for (const done of this.#unwritten.splice(0)) done();
  }

  end(runId: string, end: RunEnd): void {
    const run = this.runs.get(runId);
    if (run === undefined || run.ended) return;
    if (!run.started && end.kind !== 'start' && end.kind !== 'lost') {
      run.started = true;
      run.watcher.started(1);
    }
    run.ended = end;
    run.watcher.gone();
    run.watcher.ended(end);
  }

  #agent(): { tasks: Tasks; scheduler: Scheduler; walltime: Walltime } {
    this.#epoch += 1;
    const epoch = this.#epoch;
    const current = (): boolean => epoch === this.#epoch;
    const scheduler = new Scheduler(new Pool({ cores: this.cores, gpus: [], memory: null }));
    const walltime = new Walltime(Date.now() + 1e9);
    const pilot: PilotFile = {
      v: 1,
      id: 'pilot',
      name: 'pilot',
      engine: 'local',
      cores: this.cores,
      gpus: 0,
      memory: null,
      runtime: 1e6,
      cpus: null,
      createdAt: new Date().toISOString(),
      folder: '/nowhere',
      runtimeDir: '/nowhere',
    };
    const nothing = () => undefined;
    const found = new Map<string, Seen>([...this.runs.keys()].map((id) => [id, { id, state: 'lost' }]));
    const context: NodeContext = {
      pilot,
      past: this.#past(),
      scheduler,
      journal: {
        written: 0,
        onWritten: nothing,
        flush: () => Promise.resolve(),
        since: () => Promise.reject(new Error('not here')),
        close: () => Promise.resolve(),
        append: (entry: JournalEntry, done?: () => void) => {
          // A record is in the file when it is written; what a killed agent had not written never was.
          this.#unwritten.push(() => {
            if (!current()) return;
            const seq = this.records.length + 1;
            this.records.push({ seq, epoch, t: new Date().toISOString(), ...entry });
            done?.();
          });
          return 0;
        },
      },
      warden: {
        found,
        goneSince: undefined,
        spawn: nothing,
        adopt: nothing,
        end: nothing,
        acknowledge: nothing,
        sweep: () => Promise.resolve(),
        close: nothing,
      },
      output: {
        prepare: () => Promise.resolve(),
        tidy: () => Promise.resolve(),
        close: () => Promise.resolve(),
        lend: () => ({ stdout: '', stderr: '' }),
        adopt: nothing,
        livePath: () => '',
        remember: nothing,
        pack: () => Promise.reject(new Error('not here')),
        discard: () => Promise.resolve(),
        leave: nothing,
        sizes: () => Promise.resolve([0, 0]),
        stderrTail: () => Promise.resolve(''),
        read: () => Promise.reject(new Error('not here')),
      },
    };
    const tasks = new Tasks(context, {
      services: {
        onChange: () => nothing,
        hold: () => nothing,
        readiness: () => ({ state: 'waiting', text: 'waits' }),
      },
      serviceVariables: () => Promise.resolve({}),
      commands: this.#runner(current),
      calls: this.#runner(current),
      stages: this.#stages(),
      walltime,
      accounting: {
        add: ({ id }) => {
          this.accounts.push(id);
        },
        flush: () => Promise.resolve(),
      },
    });
    return { tasks, scheduler, walltime };
  }

  #past(): Past {
    const tasks = new Map<string, Extract<JournalRecord, { type: 'task' }>>();
    for (const one of this.records) if (one.type === 'task') tasks.set(one.id, { ...tasks.get(one.id), ...one });
    const epoch = this.#epoch - 1;
    return {
      epoch,
      seq: 0,
      pilot: undefined,
      tasks,
      instances: new Map(),
      services: new Map(),
      batches: new Map(),
      refused: new Set(),
      claims: new Set(),
    };
  }

  #runner(current: () => boolean): Runner {
    return {
      asksItself: false,
      start: ({ runId }: Work, watcher) => {
        if (!current()) return;
        this.begun.push(runId);
        this.runs.set(runId, { watcher: guarded(watcher, current), started: false, asked: false, ended: undefined });
      },
      adopt: (runId, watcher) => {
        const run = this.runs.get(runId);
        if (run === undefined) return false;
        run.watcher = guarded(watcher, current);
        if (run.started) run.watcher.started(1);
        if (run.ended) {
          run.watcher.gone();
          run.watcher.ended(run.ended);
        }
        return true;
      },
      end: (runId) => {
        const run = this.runs.get(runId);
        if (run) run.asked = true;
      },
      acknowledge: (runId) => {
        this.runs.delete(runId);
      },
      explain: () => undefined,
    };
  }

  #stages(): Stages {
    const stage = (): Promise<[]> =>
      new Promise((resolve, reject) => {
        const one = {
          resolve: () => {
            this.stagings.delete(one);
            resolve([]);
          },
          reject: () => {
            this.stagings.delete(one);
            reject(new Error('no such file'));
          },
        };
        this.stagings.add(one);
      });
    return { stageIn: stage, stageOut: stage };
  }
}

/** An agent that is gone hears nothing any more. */
function guarded(watcher: RunWatcher, current: () => boolean): RunWatcher {
  return {
    waits: (reason) => current() && watcher.waits(reason),
    started: (pid, placement) => current() && watcher.started(pid, placement),
    gone: () => current() && watcher.gone(),
    ended: (end) => current() && watcher.ended(end),
  };
}
