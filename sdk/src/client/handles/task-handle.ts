import type { Observable } from 'rxjs';
import { PilothouseError } from '../../errors/index.js';
import type { LogChunk, TaskFile, TaskRecord, TaskUsage } from '../../schemas/index.js';
import { type TaskState, taskStates } from '../../states/index.js';
import { formatBytes, type Size, toBytes } from '../../units/size.js';
import { withDeadline } from '../deadline.js';
import { decodePayload } from '../payloads.js';
import type { RecordCell } from '../picture/record-cell.js';
import { creditStream } from '../streams/credit-stream.js';
import type { CallOptions, Explanation, FollowOptions, LogOptions, OutputOptions, Task, TaskResult } from '../types.js';
import type { Core } from './core.js';
import { goneError } from './failures.js';
import { LiveHandle } from './live-handle.js';
import { followLog } from './log-follower.js';
import { outcomeError } from './set-results.js';

const RESULT_BYTES = 64 * 1024;
const OUTPUT_LIMIT = '64MiB';
const PIECE_BYTES = 1024 * 1024;

/** {@link Task} over a session. */
export class TaskHandle extends LiveHandle<TaskState, TaskRecord> implements Task {
  readonly kind = 'task';

  constructor(core: Core, cell: RecordCell<TaskRecord>) {
    super(core, cell, taskStates);
    if (cell.record.set !== null && !taskStates.isFinal(cell.record.state)) {
      const leave = this.onClosed(core.members.follow(cell.record.id));
      cell.stream.asObservable().subscribe({ complete: leave });
    }
  }

  get usage(): TaskUsage | null {
    return this.record.usage;
  }

  get value(): unknown {
    const { value } = this.record;
    return value !== null && 'json' in value ? value.json : undefined;
  }

  explanation(options?: CallOptions): Promise<Explanation> {
    return this.core.caller.call(`explaining task ${this.name}`, options, (api, signal) =>
      api.tasks.explain({ ref: this.id }, { signal }),
    );
  }

  result(options?: CallOptions): Promise<TaskResult> {
    return withDeadline(`task ${this.name}: its result`, options, null, async (signal) => {
      const { state } = await this.done({ signal });
      const { exception, value, exitCode } = this.record;
      if (state !== 'DONE') throw exception ? outcomeError(this.record) : goneError(this.record);
      const { text } = await this.log({ signal, offset: -RESULT_BYTES, limit: RESULT_BYTES });
      const decoded = value === null ? undefined : await decodePayload(value, this.core.readFile);
      return { exitCode: exitCode ?? 0, stdout: text, value: decoded };
    });
  }

  log({ stream = 'stdout', offset = 0, limit = RESULT_BYTES, ...options }: LogOptions = {}): Promise<LogChunk> {
    return this.core.caller.call(`reading the log of task ${this.name}`, options, (api, signal) =>
      api.tasks.log({ ref: this.id, stream, offset, limit }, { signal }),
    );
  }

  get stdout$(): Observable<string> {
    return this.follow('stdout');
  }

  get stderr$(): Observable<string> {
    return this.follow('stderr');
  }

  follow(stream: 'stdout' | 'stderr', { offset = 0 }: FollowOptions = {}): Observable<string> {
    return followLog((from, signal) => this.log({ stream, offset: from, signal }), {
      from: offset,
      onClosed: this.onClosed,
      changes: this.cell.stream.asObservable(),
    });
  }

  files(options?: CallOptions): Promise<TaskFile[]> {
    return this.core.caller.call(`listing the files of task ${this.name}`, options, (api, signal) =>
      api.tasks.files({ ref: this.id }, { signal }),
    );
  }

  output(path: string, { limit = OUTPUT_LIMIT, ...options }: OutputOptions = {}): Promise<Uint8Array> {
    return withDeadline(`reading ${path} of task ${this.name}`, options, null, async (signal) => {
      const most = bytesOf(limit);
      const pieces: Uint8Array[] = [];
      for (let offset = 0; ; ) {
        const chunk = await this.#piece(path, offset, signal);
        if (chunk.size > most) throw this.#tooLarge(path, chunk.size, most);
        pieces.push(Uint8Array.from(atob(chunk.data), (character) => character.charCodeAt(0)));
        offset = chunk.next;
        if (chunk.complete || offset >= chunk.size) return joined(pieces);
      }
    });
  }

  async cancel(options?: CallOptions): Promise<void> {
    const record = await this.core.caller.call(`canceling task ${this.name}`, options, (api, signal) =>
      api.tasks.cancel({ ref: this.id }, { signal }),
    );
    this.core.store.putTask(record);
  }

  async retry(options?: CallOptions): Promise<Task> {
    const submission = this.core.caller.submission();
    const record = await this.core.caller.call(`running task ${this.name} again`, options, (api, signal) =>
      api.tasks.retry({ ref: this.id, ...submission }, { signal }),
    );
    return new TaskHandle(this.core, this.core.store.putTask(record));
  }

  #piece(path: string, offset: number, signal: AbortSignal) {
    return this.core.caller.call(`reading ${path} of task ${this.name}`, { signal }, (api, abort) =>
      api.tasks.output({ ref: this.id, path, offset, limit: PIECE_BYTES }, { signal: abort }),
    );
  }

  #tooLarge(path: string, size: number, most: number): PilothouseError {
    return new PilothouseError('FILE_TOO_LARGE', `${path} has ${formatBytes(size)}, more than ${formatBytes(most)}.`, {
      hint: `Allow more with { limit: '${Math.ceil(size / PIECE_BYTES)}MiB' }, or copy it from ${this.record.cwd}.`,
      ids: { task: this.id },
    });
  }
}

/** A handle of one task of a set. */
export async function memberHandle(core: Core, id: string, options?: CallOptions): Promise<TaskHandle> {
  const record = await core.caller.call(`task ${id}`, options, (api, signal) => api.tasks.get({ ref: id }, { signal }));
  return new TaskHandle(core, core.store.putTask(record));
}

/** Handles of several tasks of a set, in one go. */
export async function memberHandles(core: Core, ids: readonly string[], signal: AbortSignal): Promise<TaskHandle[]> {
  if (ids.length === 0) return [];
  const found = new Map<string, TaskRecord>();
  const batches = creditStream(
    core.connector,
    (api, flow, abort) => api.system.watch({ ...flow, kinds: ['task'], ids: [...ids] }, { signal: abort }),
    { signal, finished: () => false },
  );
  for await (const { tasks, more } of batches) {
    for (const task of tasks) found.set(task.id, task);
    if (!more) break;
  }
  return ids.flatMap((id) => {
    const record = found.get(id);
    return record ? [new TaskHandle(core, core.store.putTask(record))] : [];
  });
}

function bytesOf(limit: Size): number {
  try {
    return toBytes(limit);
  } catch (cause) {
    throw new PilothouseError('INVALID_DESCRIPTION', `limit: ${cause instanceof Error ? cause.message : cause}`, {
      field: 'limit',
      hint: 'Write the limit as 512KiB, 64MiB or 2GiB.',
      cause,
    });
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces;
  if (only && pieces.length === 1) return only;
  const all = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
