import { basename } from 'node:path';
import {
  formatBytes,
  type LogChunk,
  newId,
  type Origin,
  PilothouseError,
  type PilotRecord,
  type ResolvedTaskDescription,
  type SpoolRecord,
  type TaskRecord,
  type TaskSpec,
  taskStates,
  toBytes,
} from '@pilothouse/sdk/internal';
import type { Context } from '../context.js';
import type { Explanation } from '../engines/index.js';
import { settlePilot } from '../picture/settle.js';
import type { LogEntry } from '../store/log-records.js';
import { buildEnvironment, resolveDirectory } from './environment.js';
import { type LogRange, OutputReader } from './output-reader.js';
import type { PilotManager } from './pilot-manager.js';
import { findRef } from './refs.js';

/** One task of a submit. */
export interface TaskSubmission {
  readonly description: ResolvedTaskDescription;
  readonly key: string;
}

/** Records that go inline over the link; more are read from the spool, where they stand anyway. */
const INLINE = 200;

/** Tasks of one list: a message holds 8 MiB, and a record about one KiB. */
const LISTED = 4000;

/** Tasks: submitted durably, found again, cancelled, read. */
export class TaskManager {
  readonly #running = new Map<string, Promise<TaskRecord>>();
  readonly #output: OutputReader;

  constructor(
    private readonly context: Context,
    private readonly pilots: PilotManager,
  ) {
    this.#output = new OutputReader(context);
  }

  /** Durable when it resolves. A key that was used before gives the task it made then. */
  async submit(tasks: readonly TaskSubmission[], origin: Origin): Promise<TaskRecord[]> {
    const fresh = new Map<string, Prepared>();
    try {
      for (const [index, { description, key }] of tasks.entries()) {
        if (this.context.keys.get(key) !== undefined || this.#running.has(key) || fresh.has(key)) continue;
        fresh.set(key, this.#prepare(description, key, origin, tasks.length > 1 ? `tasks.${index}.description.` : ''));
      }
    } catch (error) {
      for (const { task } of fresh.values()) this.#giveBack(task);
      throw error;
    }
    const prepared = [...fresh.values()];
    const written = this.#write(prepared);
    for (const { key, task } of prepared) {
      const one = written.then(() => this.get(task.id));
      this.#running.set(key, one);
      const done = (): void => void this.#running.delete(key);
      one.then(done, () => {
        done();
        if (this.context.picture.get('task', task.id) === undefined) this.#giveBack(task);
      });
    }
    return Promise.all(tasks.map(({ key }) => this.#made(key)));
  }

  get(ref: string): TaskRecord {
    return findRef(this.context.picture, this.context.names, 'task', ref);
  }

  /** The newest ones, as many as fit into one message; `watch` shows all. */
  list(all: boolean): TaskRecord[] {
    return [...this.context.picture.list('task')].filter(({ endedAt }) => all || endedAt === null).slice(-LISTED);
  }

  explain(ref: string): Explanation {
    const task = this.get(ref);
    const pilot = this.context.picture.get('pilot', task.pilot);
    if (task.error !== null) {
      return {
        text: task.error.message,
        evidence: [task.error.evidence, task.stderrTail].filter((line) => typeof line === 'string'),
      };
    }
    if (task.contact.lost) {
      return { text: `not reachable since ${task.contact.since}; it goes on where it runs`, evidence: [] };
    }
    if (task.state === 'NEW' && pilot !== undefined && pilot.state !== 'ACTIVE') {
      const why = this.pilots.explain(pilot.id);
      return { text: `waits for pilot "${pilot.name}", which is ${pilot.state}: ${why.text}`, evidence: why.evidence };
    }
    return {
      text: task.reason?.text ?? (task.exitCode === null ? `it is ${task.state}` : `it ended with ${task.exitCode}`),
      evidence: task.reason?.evidence === undefined ? [] : [task.reason.evidence],
    };
  }

  log(ref: string, range: LogRange): Promise<LogChunk> {
    const task = this.get(ref);
    return this.#output.read(
      { id: task.id, pilot: task.pilot, output: task.output, final: task.endedAt !== null },
      range,
    );
  }

  async cancel(ref: string): Promise<TaskRecord> {
    const task = this.get(ref);
    if (taskStates.isFinal(task.state)) return task;
    await this.context.events.append([{ type: 'task.cancel', id: task.id }]);
    const records = await this.context.spool.append(task.pilot, [{ type: 'cancel', task: task.id }]);
    this.context.link.send(task.pilot, { type: 'spool', records });
    return this.get(task.id);
  }

  #giveBack({ name, id }: TaskRecord): void {
    this.context.names.release('task', name, id);
  }

  async #made(key: string): Promise<TaskRecord> {
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const made = this.context.keys.get(key);
    if (made?.kind === 'task') return this.get(made.id);
    throw new PilothouseError('INVALID_DESCRIPTION', 'this key was used for something that is no task', {
      hint: 'Use a new key for every submit.',
      field: 'key',
    });
  }

  #prepare(description: ResolvedTaskDescription, key: string, origin: Origin, at: string): Prepared {
    const { context } = this;
    const pilot = this.pilots.choose(description.pilot);
    checkFits(description, pilot, at);
    const services = description.services.map((ref) => this.#service(ref, pilot, at));
    const id = newId('task');
    const createdAt = context.clock.iso();
    const cwd = resolveDirectory(context.config, origin, description.cwd);
    const name = context.names.reserve('task', description.name ?? basename(description.command[0] ?? 'task'), id);
    const waits = pilot.state === 'ACTIVE' ? null : `waits for pilot "${pilot.name}" to start`;
    const task: TaskRecord = {
      kind: 'task',
      id,
      name,
      seq: 0,
      state: 'NEW',
      since: createdAt,
      reason: waits === null ? null : { code: 'WAITS_FOR_PILOT', text: waits, since: createdAt },
      contact: pilot.contact,
      error: null,
      times: { NEW: createdAt },
      owner: origin.name,
      createdAt,
      endedAt: null,
      description,
      pilot: pilot.id,
      cwd,
      attempt: 1,
      exitCode: null,
      signal: null,
      stderrTail: null,
      output: null,
    };
    const spec: TaskSpec = {
      id,
      name,
      command: description.command,
      env: buildEnvironment(context.config, origin, description.env),
      cwd,
      cores: description.cores,
      gpus: description.gpus,
      memory: description.memory === undefined ? null : toBytes(description.memory),
      sandbox: description.sandbox,
      services,
    };
    return { key, task, spec };
  }

  #service(ref: string, pilot: PilotRecord, at: string): string {
    const service = findRef(this.context.picture, this.context.names, 'service', ref);
    if (service.pilot === pilot.id) {
      if (service.endedAt === null) return service.id;
      throw new PilothouseError(
        'SERVICE_STOPPED',
        `service "${service.name}" has ended; the task would wait for ever`,
        {
          hint: 'Start the service again, then submit the task.',
          field: `${at}services`,
          ids: { service: service.id },
        },
      );
    }
    throw new PilothouseError(
      'INVALID_DESCRIPTION',
      `service "${service.name}" does not run on pilot "${pilot.name}"`,
      {
        hint: 'Name services of the same pilot, or submit the task to theirs.',
        field: `${at}services`,
        ids: { service: service.id, pilot: pilot.id },
      },
    );
  }

  async #write(prepared: readonly Prepared[]): Promise<void> {
    if (prepared.length === 0) return;
    const { context } = this;
    const entries: LogEntry[] = prepared.map(({ key, task, spec }) => ({ type: 'task.submitted', key, task, spec }));
    // The log first: a task that stood in the spool alone would run without anybody knowing whose it is.
    await context.events.append(entries);
    const byPilot = Map.groupBy(prepared, ({ task }) => task.pilot);
    await Promise.all(
      [...byPilot].map(async ([pilot, ones]) => {
        const records = await context.spool.append(
          pilot,
          ones.map(({ spec }) => ({ type: 'task' as const, task: spec })),
        );
        this.#nudge(pilot, records);
        // The pilot may have ended while this was written: then these end with it, instead of waiting for ever.
        settlePilot(context.picture, pilot, context.clock.iso());
      }),
    );
  }

  #nudge(pilot: string, records: readonly SpoolRecord[]): void {
    for (let start = 0; start < records.length; start += INLINE) {
      this.context.link.send(pilot, { type: 'spool', records: records.slice(start, start + INLINE) });
    }
  }
}

interface Prepared {
  readonly key: string;
  readonly task: TaskRecord;
  readonly spec: TaskSpec;
}

/** Refuses what the pilot can never give. */
export function checkFits(
  needs: { readonly cores: number; readonly gpus: number; readonly memory?: string | undefined },
  pilot: PilotRecord,
  at: string,
): void {
  const refuse = (field: string, asked: string, held: string): never => {
    throw new PilothouseError(
      'INVALID_DESCRIPTION',
      `${field}: ${asked} asked for, pilot "${pilot.name}" holds ${held}`,
      {
        hint: `Ask for at most ${held}, or start a larger pilot.`,
        field: `${at}${field}`,
        ids: { pilot: pilot.id },
      },
    );
  };
  const { cores, gpus, memory } = pilot.resources;
  if (needs.cores > cores) refuse('cores', String(needs.cores), String(cores));
  if (needs.gpus > gpus) refuse('gpus', String(needs.gpus), String(gpus));
  if (needs.memory !== undefined && memory !== null && toBytes(needs.memory) > memory) {
    refuse('memory', needs.memory, formatBytes(memory));
  }
}
