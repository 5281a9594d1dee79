import type { Placement } from '@pilothouse/sdk/shared';
import type { EndSignal } from '../launcher/spawn.js';
import { log } from '../log.js';
import type { Public } from '../node-context.js';
import type { Output } from '../output/output.js';
import type { RunEnd, RunWatcher } from '../tasks/runner.js';
import type { Work } from '../tasks/work.js';
import { endOf } from './ends.js';
import type { CallResult } from './messages.js';
import type { Worker } from './worker.js';

/** One call, from when it is taken on until its end is told. */
export class Call {
  readonly id: string;
  readonly runId: string;
  readonly name: string;
  /** Undefined for a call that an earlier agent has begun. */
  readonly work: Work | undefined;
  readonly #watcher: RunWatcher;
  readonly #onEnd: (end: RunEnd) => void;
  #over = false;
  /** It was asked to end, with this. */
  ending: { readonly grace: number; readonly signal: EndSignal | undefined } | undefined;

  /** The worker that was given it. */
  at: Worker | undefined;

  /** @param onEnd - hears how it ended, before the watcher does */
  constructor(runId: string, watcher: RunWatcher, work: Work | undefined, onEnd: (end: RunEnd) => void) {
    this.id = runId.slice(0, runId.lastIndexOf(':'));
    this.runId = runId;
    this.name = work?.name ?? this.id;
    this.work = work;
    this.#watcher = watcher;
    this.#onEnd = onEnd;
  }

  get over(): boolean {
    return this.#over;
  }

  waits(text: string): void {
    if (!this.#over) this.#watcher.waits({ code: 'WAITS_FOR_WORKER', text });
  }

  started(pid: number | undefined, placement: Placement | undefined): void {
    if (!this.#over) this.#watcher.started(pid, placement);
  }

  /** Told by its worker. */
  finished(result: CallResult, output: Public<Output>): void {
    const end = endOf(this.name, this.id, result);
    const { stdout, stderr } = result;
    if (stdout === '' && stderr === '') {
      this.ended(end);
      return;
    }
    void this.#keep(end, stdout, stderr, output);
  }

  ended(end: RunEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#onEnd(end);
    this.#watcher.gone();
    this.#watcher.ended(end);
  }

  /** It never ran. */
  canceled(): void {
    this.ended({ ok: false, kind: 'signal', signal: `SIG${this.ending?.signal ?? 'TERM'}` });
  }

  async #keep(end: RunEnd, stdout: string, stderr: string, output: Public<Output>): Promise<void> {
    try {
      const [out, err] = [Buffer.from(stdout), Buffer.from(stderr)];
      const text = { stdout: out.toString('latin1'), stderr: err.toString('latin1') };
      const range = await output.pack(this.id, { stdout: out.length, stderr: err.length, text });
      this.ended({ ...end, output: range });
    } catch (error) {
      log(`what ${this.id} has printed cannot be kept`, error);
      this.ended(end);
    }
  }
}
