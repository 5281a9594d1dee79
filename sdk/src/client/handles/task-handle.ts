import type { Observable } from 'rxjs';
import type { LogChunk, TaskRecord } from '../../schemas/index.js';
import { type TaskState, taskStates } from '../../states/index.js';
import { withDeadline } from '../deadline.js';
import type { RecordCell } from '../picture/record-cell.js';
import type { CallOptions, LogOptions, Task, TaskResult } from '../types.js';
import type { Core } from './core.js';
import { goneError } from './failures.js';
import { LiveHandle } from './live-handle.js';
import { followLog } from './log-follower.js';

const RESULT_BYTES = 64 * 1024;

/** {@link Task} over a session. */
export class TaskHandle extends LiveHandle<TaskState, TaskRecord> implements Task {
  readonly kind = 'task';

  constructor(core: Core, cell: RecordCell<TaskRecord>) {
    super(core, cell, taskStates);
  }

  async explain(options?: CallOptions): Promise<string> {
    const { text } = await this.core.caller.call(`explaining task ${this.name}`, options, (api, signal) =>
      api.tasks.explain({ ref: this.id }, { signal }),
    );
    return text;
  }

  result(options?: CallOptions): Promise<TaskResult> {
    return withDeadline(`task ${this.name}: its result`, options, null, async (signal) => {
      const { state } = await this.done({ signal });
      if (state !== 'DONE') throw goneError(this.record);
      const { text } = await this.log({ signal, offset: -RESULT_BYTES, limit: RESULT_BYTES });
      return { exitCode: this.record.exitCode ?? 0, stdout: text };
    });
  }

  log({ stream = 'stdout', offset = 0, limit = RESULT_BYTES, ...options }: LogOptions = {}): Promise<LogChunk> {
    return this.core.caller.call(`reading the log of task ${this.name}`, options, (api, signal) =>
      api.tasks.log({ ref: this.id, stream, offset, limit }, { signal }),
    );
  }

  get stdout$(): Observable<string> {
    return followLog((offset, signal) => this.log({ stream: 'stdout', offset, signal }), this.onClosed);
  }

  get stderr$(): Observable<string> {
    return followLog((offset, signal) => this.log({ stream: 'stderr', offset, signal }), this.onClosed);
  }

  async cancel(options?: CallOptions): Promise<void> {
    const record = await this.core.caller.call(`canceling task ${this.name}`, options, (api, signal) =>
      api.tasks.cancel({ ref: this.id }, { signal }),
    );
    this.core.store.tasks.put(record);
  }
}
