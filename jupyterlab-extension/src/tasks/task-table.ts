import type { TaskRows, TaskState } from '@pilothouse/sdk/internal';
import { BehaviorSubject, type Observable, Subject, type Subscription } from 'rxjs';
import { type Problem, problemOf } from '../format/problem.js';
import type { CellContext } from './columns.js';
import { type Query, RowOrder } from './row-order.js';
import { AT, type StoreChange, stateOf, TaskRowStore } from './row-store.js';
import { RowSelection } from './selection.js';

/** At most 30 drawings a second. */
const FRAME_MS = 1000 / 30;
/** Rows come, go and change places at most so often by themselves. */
const REORDER_MS = 500;
/** A table that nobody sees gives up its stream after this long. */
const RELEASE_MS = 30_000;

/** What has to be drawn anew. */
export interface TableChange {
  /** Rows have changed places, come or gone. */
  readonly reordered: boolean;
  /** Places whose row says something else, where nothing was reordered. */
  readonly places: readonly number[];
}

/** The table in a few numbers, for what stands around it. */
export interface TableSummary {
  /** All rows are there. */
  readonly loaded: boolean;
  readonly problem: Problem | null;
  /** Rows there are, whatever is filtered. */
  readonly size: number;
  /** Rows that pass the filter. */
  readonly matching: number;
  /** Rows by state, whatever is filtered. */
  readonly counts: ReadonlyMap<TaskState, number>;
  /** Rows that would come, go or stand elsewhere. */
  readonly changes: number;
  readonly chosen: number;
  readonly query: Query;
}

/** Where rows come from; see `session.tasks.rows$`. */
export type RowSource = () => Observable<TaskRows>;

/**
 * A live table of tasks, however it is drawn: it takes batches of rows as they come, says at most 30 times a second what
 * has to be drawn, and moves rows only when nobody points at them.
 */
export class TaskTable {
  readonly store = new TaskRowStore();
  readonly order: RowOrder;
  readonly selection = new RowSelection();
  readonly #changes = new Subject<TableChange>();
  readonly #summary: BehaviorSubject<TableSummary>;
  #stream: Subscription | null = null;
  #release: ReturnType<typeof setTimeout> | undefined;
  #drawing: ReturnType<typeof setTimeout> | undefined;
  #ordering: ReturnType<typeof setTimeout> | undefined;
  #visible = false;
  #held = false;
  #loaded = false;
  #problem: Problem | null = null;
  #lastDrawn = Number.NEGATIVE_INFINITY;
  #lastOrdered = Number.NEGATIVE_INFINITY;
  #dirty: number[] = [];
  #reordered = false;
  /** Ids of what was chosen before everything came anew. */
  #remembered: { readonly chosen: string[]; readonly cursor: string | null } | null = null;

  constructor(
    private readonly source: RowSource,
    query: Query,
    readonly context: () => CellContext,
  ) {
    this.order = new RowOrder(this.store, query, context);
    this.#summary = new BehaviorSubject<TableSummary>(this.#sum());
  }

  get changes$(): Observable<TableChange> {
    return this.#changes;
  }

  get summary(): TableSummary {
    return this.#summary.value;
  }

  get summary$(): Observable<TableSummary> {
    return this.#summary;
  }

  /** Whether somebody sees it. Unseen, nothing is drawn, and after a while nothing is fetched. */
  set visible(visible: boolean) {
    if (visible === this.#visible) return;
    this.#visible = visible;
    if (visible) {
      clearTimeout(this.#release);
      if (this.#stream === null) this.#open();
      this.reorder();
    } else {
      this.#rest();
      this.#release = setTimeout(() => this.#close(), RELEASE_MS);
    }
  }

  /** Keeps every row where it is, as while the pointer is over the table. */
  set held(held: boolean) {
    this.#held = held;
    if (!held && this.order.changes > 0) this.#plan();
  }

  get query(): Query {
    return this.order.query;
  }

  /** Asks for other rows or another order; shown at once, since somebody asked. */
  ask(change: Partial<Query>): void {
    this.order.query = { ...this.order.query, ...change };
    this.reorder();
  }

  /** Puts every row where it belongs now. */
  reorder(): void {
    this.order.rebuild();
    this.#lastOrdered = performance.now();
    this.#reordered = true;
    this.#draw();
  }

  /** What is chosen, or where the cursor is, has changed by hand. */
  chosenChanged(): void {
    this.#summary.next(this.#sum());
    this.#changes.next({ reordered: false, places: ALL });
  }

  /** Ids of the rows that are chosen, in the order they stand. */
  chosenIds(): string[] {
    const slots = [...this.selection.slots].sort((a, b) => this.order.placeOf(a) - this.order.placeOf(b));
    return slots.flatMap((slot) => this.store.rows[slot]?.[AT.id] ?? []);
  }

  /** Fetches everything again, as after a failure. */
  retry(): void {
    this.#close();
    if (this.#visible) this.#open();
  }

  dispose(): void {
    clearTimeout(this.#release);
    this.#rest();
    this.#close();
    this.#changes.complete();
    this.#summary.complete();
  }

  #open(): void {
    this.#problem = null;
    this.#stream = this.source().subscribe({
      next: (batch) => this.#take(batch),
      error: (error: unknown) => {
        this.#stream = null;
        this.#problem = problemOf(error);
        this.#summary.next(this.#sum());
      },
    });
  }

  #close(): void {
    this.#stream?.unsubscribe();
    this.#stream = null;
  }

  #take(batch: TaskRows): void {
    if (batch.reset) this.#remember();
    const change = this.store.apply(batch);
    this.order.note(change);
    for (const slot of change.removed) this.selection.forget(slot);
    if (!batch.more) {
      this.#loaded = true;
      this.#recall();
    }
    this.#note(change);
    this.#plan();
  }

  #note(change: StoreChange): void {
    if (change.reset) {
      this.#dirty = [];
      this.#reordered = true;
      return;
    }
    for (const { slot } of change.changed) {
      const place = this.order.placeOf(slot);
      if (place >= 0) this.#dirty.push(place);
    }
  }

  /** Draws, and puts rows in order, as soon as it may. */
  #plan(): void {
    if (!this.#visible) return;
    const now = performance.now();
    this.#drawing ??= setTimeout(
      () => {
        this.#drawing = undefined;
        this.#draw();
      },
      Math.max(0, this.#lastDrawn + FRAME_MS - now),
    );
    if (this.order.changes === 0 || !this.#mayReorder) return;
    this.#ordering ??= setTimeout(
      () => {
        this.#ordering = undefined;
        if (this.#mayReorder) this.reorder();
      },
      Math.max(0, this.#lastOrdered + REORDER_MS - now),
    );
  }

  #rest(): void {
    clearTimeout(this.#drawing);
    clearTimeout(this.#ordering);
    this.#drawing = undefined;
    this.#ordering = undefined;
  }

  /** An empty table fills whatever points at it; a large one is sorted anew on request only. */
  get #mayReorder(): boolean {
    return !this.#loaded || this.order.length === 0 || (!this.#held && this.order.cheap);
  }

  #draw(): void {
    if (!this.#visible) return;
    this.#lastDrawn = performance.now();
    const change = { reordered: this.#reordered, places: this.#dirty };
    this.#reordered = false;
    this.#dirty = [];
    this.#summary.next(this.#sum());
    this.#changes.next(change);
  }

  #sum(): TableSummary {
    const counts = new Map<TaskState, number>();
    this.store.counts.forEach((count, code) => {
      if (count > 0) counts.set(stateOf(code), count);
    });
    return {
      loaded: this.#loaded,
      problem: this.#problem,
      size: this.store.size,
      matching: this.order.matching,
      counts,
      changes: this.order.changes,
      chosen: this.selection.size,
      query: this.order.query,
    };
  }

  #remember(): void {
    const id = (slot: number): string[] => {
      const row = this.store.rows[slot];
      return row ? [row[AT.id]] : [];
    };
    const { cursor } = this.selection;
    this.#remembered = {
      chosen: [...this.selection.slots].flatMap(id),
      cursor: cursor === null ? null : (id(cursor)[0] ?? null),
    };
    this.selection.reset();
  }

  #recall(): void {
    const remembered = this.#remembered;
    this.#remembered = null;
    if (remembered === null) return;
    const cursor = remembered.cursor === null ? undefined : this.store.slotOf(remembered.cursor);
    if (cursor !== undefined) this.selection.only(cursor);
    this.selection.all(remembered.chosen.flatMap((id) => this.store.slotOf(id) ?? []));
  }
}

/** Every place may look different. */
const ALL: readonly number[] = [-1];

/** Whether a change may show in these places. */
export function touches({ reordered, places }: TableChange, first: number, last: number): boolean {
  return reordered || places === ALL || places.some((place) => place >= first && place <= last);
}
