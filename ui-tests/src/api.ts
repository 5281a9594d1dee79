import { request } from 'node:http';
import {
  type AnswerRecord,
  answerRecordSchema,
  newId,
  type PilotRecord,
  pilotRecordSchema,
  type ServiceRecord,
  serviceRecordSchema,
  type TaskDescription,
  type TaskEntry,
  type TaskRecord,
  type TaskSetRecord,
  taskRecordSchema,
  taskSetRecordSchema,
} from '../../sdk/lib/internal.js';

export type { AnswerRecord, PilotRecord, ServiceRecord, TaskDescription, TaskRecord };

interface Schema<T> {
  parse(value: unknown): T;
}

/** What the bridge answered instead of what was asked for. */
export class CallRefused extends Error {
  constructor(
    readonly path: string,
    readonly status: number,
    readonly body: string,
  ) {
    super(`${path}: ${status} ${body}`);
  }
}

/**
 * The bridge's own word, over HTTP on its socket: what tests compare the browser with. Starts nothing and repeats nothing,
 * so that a bridge which is down shows.
 */
export class Api {
  constructor(
    readonly socket: string,
    /** Where tasks run and what they see; as if they were submitted from there. */
    private readonly cwd: string,
  ) {}

  /** Calls `router/procedure`; rejects with {@link CallRefused} when the answer is an error. */
  async call(path: string, input: unknown = {}): Promise<unknown> {
    const body = JSON.stringify(input);
    const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const call = request(
        {
          socketPath: this.socket,
          path: `/api/v1/${path}`,
          method: 'POST',
          headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
          timeout: 20_000,
        },
        (response) => {
          let received = '';
          response.setEncoding('utf8');
          response.on('data', (piece: string) => {
            received += piece;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text: received }));
          response.on('error', reject);
        },
      );
      call.on('timeout', () => call.destroy(new Error(`${path} was not answered in 20 s`)));
      call.on('error', reject);
      call.end(body);
    });
    if (status >= 300) throw new CallRefused(path, status, text);
    return JSON.parse(text);
  }

  /** True while a bridge answers. */
  async answers(): Promise<boolean> {
    return this.call('pilots/list').then(
      () => true,
      () => false,
    );
  }

  pilots(all = false): Promise<PilotRecord[]> {
    return this.list('pilots', all, pilotRecordSchema);
  }

  services(all = false): Promise<ServiceRecord[]> {
    return this.list('services', all, serviceRecordSchema);
  }

  tasks(all = true): Promise<TaskRecord[]> {
    return this.list('tasks', all, taskRecordSchema);
  }

  answerList(all = true): Promise<AnswerRecord[]> {
    return this.list('answers', all, answerRecordSchema);
  }

  async answer(ref: string): Promise<AnswerRecord> {
    return answerRecordSchema.parse(await this.call('answers/get', { ref }));
  }

  async service(ref: string): Promise<ServiceRecord> {
    return serviceRecordSchema.parse(await this.call('services/get', { ref }));
  }

  async pilot(ref: string): Promise<PilotRecord> {
    return pilotRecordSchema.parse(await this.call('pilots/get', { ref }));
  }

  /** The answer asked for last, or the one that streams where there is one. */
  async newestAnswer(): Promise<AnswerRecord> {
    const all = await this.answerList();
    const newest = all.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt))[0];
    if (newest === undefined) throw new Error('No answer is kept');
    return this.answer(newest.id);
  }

  async ensurePilot(name: string, description: { cores: number; runtime?: string }): Promise<PilotRecord> {
    return pilotRecordSchema.parse(await this.call('pilots/ensure', { name, description, ...this.submitted() }));
  }

  async ensureService(
    name: string,
    description: Readonly<Record<string, unknown>>,
    env: Readonly<Record<string, string>> = {},
  ): Promise<ServiceRecord> {
    const call = { name, description, ...this.submitted(env) };
    return serviceRecordSchema.parse(await this.call('services/ensure', call));
  }

  async attach(description: Readonly<Record<string, unknown>>): Promise<ServiceRecord> {
    return serviceRecordSchema.parse(await this.call('services/attach', { description, ...this.submitted() }));
  }

  async submitTasks(descriptions: readonly TaskDescription[]): Promise<TaskRecord[]> {
    const tasks = descriptions.map((description) => ({ description, key: newId('key') }));
    const { origin } = this.submitted();
    const records = await this.call('tasks/submit', { tasks, origin });
    return Array.isArray(records) ? records.map((record) => taskRecordSchema.parse(record)) : [];
  }

  /** A task set, closed: no more tasks will come. */
  async submitSet(name: string, tasks: readonly TaskEntry[]): Promise<TaskSetRecord> {
    const opened = await this.call('sets/open', { description: { name, expected: tasks.length }, ...this.submitted() });
    const { id } = taskSetRecordSchema.parse(opened);
    await this.call('sets/add', { set: id, from: 0, tasks, close: true });
    return this.set(id);
  }

  async set(ref: string): Promise<TaskSetRecord> {
    return taskSetRecordSchema.parse(await this.call('sets/get', { ref }));
  }

  private async list<T>(kind: string, all: boolean, schema: Schema<T>): Promise<T[]> {
    const records = await this.call(`${kind}/list`, { all });
    if (!Array.isArray(records)) throw new Error(`${kind}/list gave no list`);
    return records.map((record) => schema.parse(record));
  }

  private submitted(env: Readonly<Record<string, string>> = {}) {
    const path = { PATH: process.env.PATH ?? '/usr/bin:/bin', ...env };
    return { origin: { name: 'ui-tests', kind: 'node', cwd: this.cwd, env: path }, key: newId('key') };
  }
}
