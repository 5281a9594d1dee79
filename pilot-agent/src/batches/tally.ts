import type { BatchProgress, BatchRecord } from '@pilothouse/sdk/shared';
import type { Found } from './output-file.js';
import { Rate } from './rate.js';
import type { RowOutcome } from './row-outcome.js';

type Failures = BatchRecord['failures'];

const MOST_FAILURES = 5;
const LONGEST_MESSAGE = 300;

/** Counts what a batch has done; only rows on the disk count. */
export class Tally {
  readonly #rate = new Rate();
  #total: number | null = null;
  #done = 0;
  #failed = 0;
  #kept = 0;
  #tokens = 0;
  #over = false;
  #failures: Failures = [];
  /** Requests under way. */
  inFlight = 0;

  /** Takes over what stands in the output, as far as the input asks for it. */
  found(found: Found, input: { total: number; done: number }): void {
    this.#total = input.total;
    this.#failed = Math.min(found.failed, input.done);
    this.#done = input.done - this.#failed;
    this.#kept = Math.max(0, this.#done - found.done);
    this.#tokens = found.tokens;
    this.#failures = found.failures.map(({ key, code, message }) => ({ key, code, message: short(message) }));
  }

  stored(key: string | number, outcome: RowOutcome): void {
    this.#rate.add(1);
    if (outcome.kind === 'answered') {
      this.#done += 1;
      this.#tokens += outcome.usage?.completionTokens ?? 0;
      return;
    }
    this.#failed += 1;
    const { code, message } = outcome.error;
    this.#failures = [...this.#failures, { key: String(key), code, message: short(message) }].slice(-MOST_FAILURES);
  }

  over(): void {
    this.#over = true;
    this.inFlight = 0;
  }

  /** The latest failed rows. */
  get failures(): Failures {
    return this.#failures;
  }

  get progress(): BatchProgress {
    const rate = this.#over ? null : this.#rate.perSecond;
    const left = this.#total === null ? null : this.#total - this.#done - this.#failed;
    const seconds = left === null || !rate ? null : left / rate;
    return {
      total: this.#total,
      done: this.#done,
      failed: this.#failed,
      kept: this.#kept,
      inFlight: this.inFlight,
      rate: rate === null ? null : Math.round(rate * 100) / 100,
      eta: seconds === null || seconds > FAR ? null : new Date(Date.now() + seconds * 1000).toISOString(),
      tokens: this.#tokens,
    };
  }
}

/** Seconds after which an end is too far away to name. */
const FAR = 1e9;

function short(text: string): string {
  return text.length > LONGEST_MESSAGE ? `${text.slice(0, LONGEST_MESSAGE)}…` : text;
}
