import { join } from 'node:path';
import { type BatchProgress, type BatchSpec, batchStates, PilothouseError, toErrorData } from '@pilothouse/sdk/shared';
import type { JournalEntry } from '../journal/journal.js';
import { log } from '../log.js';
import type { BatchContext } from './batch-context.js';
import { Input } from './input.js';
import { openOutput } from './output-file.js';
import { RowWriter } from './row-writer.js';
import { Tally } from './tally.js';

type Entry = Extract<JournalEntry, { type: 'batch' }>;
export type BatchState = Entry['state'];
type Why = { readonly code: string; readonly text: string };

/** How often its progress is written down, in milliseconds. */
const EVERY_MS = 10_000;

/** One batch on this pilot, from its beginning, or from where an earlier agent left it, to its end. */
export class Batch {
  readonly spec: BatchSpec;
  readonly #context: BatchContext;
  readonly #changed: () => void;
  readonly #stop = new AbortController();
  readonly #tally = new Tally();
  #state: BatchState;
  #reason: string | undefined;
  #told = 0;
  #ended: Promise<void> = Promise.resolve();

  constructor(context: BatchContext, spec: BatchSpec, changed: () => void) {
    this.#context = context;
    this.spec = spec;
    this.#changed = changed;
    this.#state = context.past.batches.get(spec.id)?.state ?? 'NEW';
  }

  get over(): boolean {
    return batchStates.isFinal(this.#state);
  }

  get state(): BatchState {
    return this.#state;
  }

  get progress(): BatchProgress {
    return this.#tally.progress;
  }

  begin(): void {
    if (!this.over) this.#ended = this.#run();
  }

  /** Ends it before its end; resolves when all rows that had come are on the disk, and its end is told. */
  end(state: 'CANCELED' | 'FAILED', error: PilothouseError): Promise<void> {
    if (!this.#stop.signal.aborted) this.#stop.abort(new Ending(state, error));
    return this.#ended;
  }

  async #run(): Promise<void> {
    const { service, name, id } = this.spec;
    const letGo = this.#context.hold(service, `batch ${name}`);
    try {
      this.#stop.signal.throwIfAborted();
      await this.#work();
      this.#enter('DONE', { reason: null });
    } catch (error) {
      if (error instanceof Ending) {
        this.#enter(error.state, { reason: null, error: withIds(error.error, id) });
      } else {
        log(`batch ${id} failed`, error);
        this.#enter('FAILED', { reason: null, error: withIds(error, id) });
      }
    } finally {
      letGo();
      this.#changed();
    }
  }

  async #work(): Promise<void> {
    const { spec, signal } = { spec: this.spec, signal: this.#stop.signal };
    this.#wait({ code: 'READING', text: 'reads its input, and what its output holds already' });
    const { pilot } = this.#context;
    const openai = spec.description.op === 'openai';
    const { file, found } = await openOutput(spec.out, join(pilot.folder, 'batches', `${spec.id}.json`), openai);
    const writer = new RowWriter(file, found.length, {
      stored: () => this.#stored(),
      troubled: (why) => this.#troubled(why),
    });
    try {
      const input = await Input.open(spec);
      try {
        this.#tally.found(found, await input.scan(found.keys, signal));
        this.#changed();
        const routable = (await this.#context.directory()).find(spec.service);
        if (routable === undefined) throw noService(spec.service);
        // Loaded with the first batch: an agent without one starts faster.
        const [{ RowRun }, adapters] = await Promise.all([import('./row-run.js'), this.#context.adapters()]);
        const run = new RowRun({
          spec,
          routable,
          adapters: { own: adapters[routable.api], rest: adapters.rest },
          files: this.#context.filesOf(spec.service),
          rows: input.missing(found.keys, signal),
          writer,
          tally: this.#tally,
          waits: (why) => this.#wait(why),
          runs: () => this.#runs(),
        });
        await run.toEnd(signal);
      } finally {
        await input.close();
      }
    } finally {
      await writer.close();
    }
  }

  #stored(): void {
    const now = performance.now();
    // Beats say it each second; this is for those who read the journal after everything else was gone.
    if (now - this.#told < EVERY_MS || this.over) return;
    this.#enter(this.#state, {});
  }

  #troubled(why: string | undefined): void {
    if (why !== undefined) this.#wait({ code: 'DISK_FULL', text: `${this.spec.out} cannot be written: ${why}` });
  }

  #wait({ code, text }: Why): void {
    if (this.over || (this.#state === 'WAITING' && this.#reason === text)) return;
    this.#reason = text;
    this.#enter('WAITING', { reason: { code, text, since: new Date().toISOString() } });
  }

  #runs(): void {
    if (this.#state === 'RUNNING' || this.over) return;
    this.#reason = undefined;
    this.#enter('RUNNING', { reason: null });
  }

  #enter(state: BatchState, details: Partial<Omit<Entry, 'type' | 'id' | 'state'>>): void {
    this.#state = state;
    this.#told = performance.now();
    if (this.over) {
      this.#reason = undefined;
      this.#tally.over();
    }
    const { progress, failures } = this.#tally;
    this.#context.journal.append({
      type: 'batch',
      id: this.spec.id,
      state,
      progress,
      failures: [...failures],
      ...details,
    });
    this.#changed();
  }
}

/** Why a batch ends before its end. */
class Ending extends Error {
  constructor(
    readonly state: 'CANCELED' | 'FAILED',
    readonly error: PilothouseError,
  ) {
    super(error.message);
  }
}

function noService(service: string): PilothouseError {
  return new PilothouseError('SERVICE_NOT_FOUND', `service ${service} is not known on this pilot`, {
    hint: 'Start it, or attach it again.',
    ids: { service },
  });
}

function withIds(error: unknown, batch: string) {
  const data = toErrorData(error);
  return { ...data, ids: { ...data.ids, batch } };
}
