import { type BatchSpec, PilothouseError } from '@pilothouse/sdk/shared';
import type { Routable } from '@pilothouse/serving';
import { Asker, type BatchAdapters, type Way } from './asker.js';
import { Flow } from './flow.js';
import type { InputRow } from './input.js';
import { lineOf, type RowOutcome } from './row-outcome.js';
import type { RowWriter } from './row-writer.js';
import type { Tally } from './tally.js';

/** What is needed to do the missing rows of a batch. */
export interface RowWork {
  readonly spec: BatchSpec;
  readonly routable: Routable;
  readonly adapters: BatchAdapters;
  /** Absolute folders whose files inputs may name. */
  readonly files: readonly string[] | null;
  readonly rows: AsyncGenerator<InputRow>;
  readonly writer: RowWriter;
  readonly tally: Tally;
  /** Nothing is with an instance, and why. */
  waits(reason: { readonly code: string; readonly text: string }): void;
  /** Something is. */
  runs(): void;
}

/** Rows are read ahead in groups, so that none waits for the disk. */
const AHEAD = 256;
/** A gap between two requests is no waiting. */
const GAP_MS = 300;
const WAITS = { code: 'WAITS_FOR_SERVICE', text: 'waits for an instance to take its requests' };

/** Does the missing rows of a batch, as many at a time as the instances take. */
export class RowRun {
  readonly #work: RowWork;
  readonly #asker: Asker;
  readonly #flow: Flow;
  readonly #ahead: InputRow[] = [];
  readonly #done = Promise.withResolvers<void>();
  /** Rejects with what ends it early. */
  readonly #failed = Promise.withResolvers<never>();
  readonly #abort = new AbortController();
  #reading = false;
  #exhausted = false;
  #underWay = 0;
  #reason = WAITS;
  #gap: NodeJS.Timeout | undefined;

  constructor(work: RowWork) {
    this.#work = work;
    this.#asker = new Asker(work);
    this.#flow = new Flow(work.spec.description.concurrency);
    // Heard by whoever waits; where nobody does, it has ended by itself.
    this.#failed.promise.catch(() => undefined);
  }

  /**
   * Resolves when all rows stand in the output.
   *
   * @throws PilothouseError BATCH_FAILED, or what ends every request; the reason of the signal
   */
  async toEnd(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#fail(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      this.#look();
      this.#pump();
      await this.#done.promise;
      // Whoever ends the batch need not wait for a disk that takes nothing.
      await Promise.race([this.#work.writer.flush(), this.#failed.promise]);
    } finally {
      signal.removeEventListener('abort', stop);
      clearTimeout(this.#gap);
      await this.#work.rows.return(undefined).catch(() => undefined);
    }
  }

  #pump(): void {
    while (!this.#abort.signal.aborted && this.#flow.hungry && !this.#work.writer.full) {
      const row = this.#ahead.shift();
      if (row === undefined) break;
      this.#flow.started();
      this.#underWay += 1;
      this.#work.tally.inFlight = this.#underWay;
      void this.#ask(row);
    }
    if (this.#ahead.length < AHEAD / 2 && !this.#exhausted) void this.#read();
    else if (this.#exhausted && this.#underWay === 0 && this.#ahead.length === 0) this.#done.resolve();
  }

  async #read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (this.#ahead.length < AHEAD && !this.#exhausted && !this.#abort.signal.aborted) {
        const next = await this.#work.rows.next();
        if (next.done) this.#exhausted = true;
        else this.#ahead.push(next.value);
      }
    } catch (error) {
      this.#fail(error);
      return;
    } finally {
      this.#reading = false;
    }
    this.#pump();
  }

  async #ask(row: InputRow): Promise<void> {
    let outcome: RowOutcome | undefined;
    try {
      outcome = await this.#asker.ask(row, this.#abort.signal, this.#way);
    } catch (error) {
      if (this.#abort.signal.aborted) {
        this.#underWay -= 1;
        return;
      }
      this.#fail(error);
    } finally {
      this.#flow.ended(outcome?.kind === 'answered');
    }
    this.#underWay -= 1;
    this.#work.tally.inFlight = this.#underWay;
    if (outcome !== undefined) this.#take(row, outcome);
    this.#pump();
  }

  #take(row: InputRow, outcome: RowOutcome): void {
    const { spec, writer, tally } = this.#work;
    writer.add(lineOf(row, spec, outcome), () => {
      tally.stored(row.key, outcome);
      // Where much waited for the disk, nothing may be under way that would look again.
      if (this.#underWay === 0) this.#pump();
    });
    if (outcome.kind === 'failed' && spec.description.onError === 'stop') this.#fail(stopped(row, outcome));
  }

  #fail(error: unknown): void {
    this.#done.reject(error);
    this.#failed.reject(error);
    this.#abort.abort(error);
  }

  readonly #way: Way = {
    seeks: (reason) => {
      if (reason === undefined) return;
      this.#reason = reason;
      this.#look();
    },
    placed: () => {
      this.#flow.arrived();
      clearTimeout(this.#gap);
      this.#gap = undefined;
      this.#work.runs();
      this.#pump();
    },
    left: () => {
      this.#flow.left();
      this.#look();
    },
    overloaded: () => this.#flow.overloaded(),
  };

  /** Says that it waits where it does so for longer than between two requests. */
  #look(): void {
    if (this.#flow.placed > 0 || this.#gap !== undefined) return;
    this.#gap = setTimeout(() => {
      this.#gap = undefined;
      if (this.#flow.placed === 0 && this.#underWay > 0 && !this.#abort.signal.aborted) this.#work.waits(this.#reason);
    }, GAP_MS);
  }
}

function stopped({ key, line }: InputRow, { error }: Extract<RowOutcome, { kind: 'failed' }>): PilothouseError {
  return new PilothouseError('BATCH_FAILED', `row ${JSON.stringify(key)} failed: ${error.message}`, {
    hint: error.hint ?? 'Put it right and start the batch again: it does only what is missing.',
    evidence: `line ${line}: ${error.code}`,
  });
}
