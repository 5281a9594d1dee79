import type { ErrorData, ResolvedTaskEntry, TaskCounts, TaskSetRecord, TaskSetState } from '@pilothouse/sdk/internal';
import type { Phase, SetFacts } from './facts.js';
import { NOTHING, NumberList } from './interned.js';

/** Failures that a record shows. */
const SHOWN_FAILURES = 10;
/** Seconds that the rate is taken over. */
const RATE_SECONDS = 30;
/** Milliseconds before a rate says anything. */
const EARLY_MS = 2000;

/** How a set stands, beside its tasks. */
export interface SetState {
  readonly open: boolean;
  readonly canceledAt: string | null;
  readonly source: string | undefined;
  readonly mixed: boolean;
  readonly orderWritten: number;
  readonly summary: string;
}

/** A task set as the bridge keeps it: counted as its tasks go on, a record only when somebody looks. */
export class LiveSet {
  /** Slot of each task, by number. */
  readonly slots = new NumberList();
  /** Numbers in the order of completion. */
  readonly order = new NumberList();
  readonly counts: { [K in keyof TaskCounts]: number } = {
    total: 0,
    waiting: 0,
    running: 0,
    done: 0,
    failed: 0,
    canceled: 0,
    resumed: 0,
  };
  readonly failures: { id: string; name: string; error: ErrorData }[] = [];
  open = true;
  canceledAt: string | null = null;
  state: TaskSetState = 'RUNNING';
  /** milliseconds since 1970 */
  endedAt: number | null = null;
  seq = 0;
  /** Who ended its tasks so far: with one alone, the order of completion is that one's own. */
  source: string | undefined;
  mixed = false;
  /** How much of the order stands in the log, for sets with several sources. */
  orderWritten = 0;
  /** The order that the log tells, while the picture is being made again. */
  plan: number[] = [];
  /** What its tasks do, in a few words. */
  summary: string;
  /** Called whenever a task of it has ended or it has been closed. */
  readonly listeners = new Set<() => void>();
  /** Tasks ended in each of the last seconds, and the second that the first of them is. */
  readonly #ended = new Map<number, number>();
  #lastEnd = 0;
  /** First place of the order that may be empty. */
  #hole = 0;

  constructor(
    readonly facts: SetFacts,
    /** Number of the set in the table. */
    readonly number: number,
    readonly group: number,
  ) {
    this.summary = summaryOf(facts.description.template);
  }

  get id(): string {
    return this.facts.id;
  }

  get ended(): number {
    return this.counts.done + this.counts.failed + this.counts.canceled;
  }

  /** Whether outcomes up to here may be told: a client that goes on from them after a restart finds the same order. */
  get told(): number {
    const known = this.#hole < this.order.length - 1 ? this.#hole : this.order.length;
    return this.mixed ? Math.min(this.orderWritten, known) : known;
  }

  added(slot: number): void {
    this.slots.push(slot);
    this.counts.total += 1;
    this.counts.waiting += 1;
  }

  moved(from: Phase, to: Phase): void {
    this.counts[from] -= 1;
    this.counts[to] += 1;
  }

  /**
   * A task has ended.
   *
   * @param at - milliseconds since 1970
   * @returns its place in the order of completion
   */
  taskEnded(number: number, at: number, source: string): number {
    // What a cache has missed comes again in the order in which it came before.
    while (this.#hole < this.order.length && this.order.get(this.#hole) !== NOTHING) this.#hole += 1;
    const index = this.#hole;
    this.order.set(index, number);
    if (this.source === undefined) this.source = source;
    else if (this.source !== source) this.mixed = true;
    const second = Math.floor(at / 1000);
    this.#ended.set(second, (this.#ended.get(second) ?? 0) + 1);
    this.#lastEnd = Math.max(this.#lastEnd, at);
    if (this.#ended.size > RATE_SECONDS + 5) {
      for (const old of this.#ended.keys()) if (old < second - RATE_SECONDS) this.#ended.delete(old);
    }
    this.settle(at);
    return index;
  }

  failed(id: string, name: string, error: ErrorData): void {
    if (this.failures.length < SHOWN_FAILURES) this.failures.push({ id, name, error });
  }

  /** Enters its final state once it is closed and every task has ended. */
  settle(at: number): void {
    if (this.open || this.endedAt !== null || this.ended < this.counts.total) return;
    this.endedAt = at;
    const { failed, canceled } = this.counts;
    this.state = failed > 0 ? 'FAILED' : canceled > 0 || this.canceledAt !== null ? 'CANCELED' : 'DONE';
  }

  /**
   * Puts the order of completion in place that was told before a restart; what ended unheard of follows in the order in
   * which it was found.
   */
  keepPlan(): void {
    const found = new Set(this.order);
    if (found.delete(NOTHING)) this.order.replace(found);
    this.#hole = this.order.length;
    if (this.plan.length === 0) return;
    const planned = this.plan.filter((number) => found.delete(number));
    this.order.replace([...planned, ...found]);
    this.plan = [];
    this.mixed = true;
    this.orderWritten = planned.length;
  }

  tell(): void {
    for (const listener of this.listeners) listener();
  }

  /** Brings back how it stood, once its tasks are there. */
  restore(state: SetState): void {
    this.open = state.open;
    this.canceledAt = state.canceledAt;
    this.source = state.source;
    this.mixed = state.mixed;
    this.orderWritten = state.orderWritten;
    this.summary = state.summary;
  }

  get cached(): SetState {
    const { open, canceledAt, source, mixed, orderWritten, summary } = this;
    return { open, canceledAt, source, mixed, orderWritten, summary };
  }

  record(now: number): TaskSetRecord {
    const { facts, counts } = this;
    const rate = this.#rate(now);
    const endedAt = this.endedAt === null ? null : iso(this.endedAt);
    const left = Math.max(counts.total, facts.description.expected ?? 0) - this.ended;
    const canceling = this.canceledAt !== null && endedAt === null;
    return {
      kind: 'set',
      id: facts.id,
      name: facts.name,
      seq: this.seq,
      since: endedAt ?? facts.createdAt,
      reason: canceling ? { code: 'CANCELING', text: 'asked to cancel', since: this.canceledAt ?? '' } : null,
      contact: { lost: false, since: facts.createdAt },
      error: this.#error(),
      times: endedAt === null ? { RUNNING: facts.createdAt } : { RUNNING: facts.createdAt, [this.state]: endedAt },
      owner: facts.owner,
      createdAt: facts.createdAt,
      endedAt,
      state: this.state,
      pilot: facts.pilot,
      open: this.open,
      expected: facts.description.expected ?? null,
      counts: { ...counts },
      rate,
      eta: endedAt === null && rate !== null && rate > 0 ? left / rate : null,
      failures: [...this.failures],
      retryOf: facts.retryOf,
      summary: this.summary,
    };
  }

  #error(): ErrorData | null {
    if (this.state !== 'FAILED') return null;
    const { failed, total } = this.counts;
    const first = this.failures[0]?.error;
    return {
      code: 'TASK_FAILED',
      message: `${failed} of ${total} tasks failed${first === undefined ? '' : `, the first because ${first.message}`}`,
      hint: first?.hint ?? 'Look at the failed tasks, then repeat them with retryFailed.',
      retryable: false,
      ids: { set: this.id },
    };
  }

  #rate(now: number): number | null {
    // What has ended is told as it went, not as it would be today.
    const until = this.endedAt ?? now;
    const from = Math.max(until - RATE_SECONDS * 1000, Date.parse(this.facts.createdAt));
    if (this.ended - this.counts.resumed === 0 || until - from < EARLY_MS) return null;
    let count = 0;
    for (const [second, ended] of this.#ended) if (second * 1000 >= from - 1000) count += ended;
    return count / ((until - from) / 1000);
  }
}

/** A task in a few words: its command or its function. */
export function summaryOf({ command, call }: ResolvedTaskEntry): string {
  if (command !== undefined) return command.join(' ').slice(0, 200);
  if (call !== undefined) {
    const { function: called } = call;
    if ('python' in called) return `${called.python}()`;
    if ('pickled' in called) return `${called.name}()`;
    return `${called.module}: ${called.export}()`;
  }
  return '';
}

export function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
