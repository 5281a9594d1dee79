import type { Context } from '../../context.js';
import type { LiveSet } from '../../picture/tasks/task-set-state.js';

/** Milliseconds between two looks. */
const LOOK_MS = 60_000;

/** Somebody who may add to a set: a connection, as long as it lasts. */
export interface Visitor {
  readonly alive: boolean;
}

/**
 * Closes sets whose client is gone: a kernel that was killed never says that no more tasks will come, and its set would
 * count as running for ever. One is gone when for a while nobody added, nobody reads results, and no connection that
 * opened the set or added to it is left.
 */
export class AbandonedSets {
  readonly #visits = new Map<string, { at: number; readonly visitors: Set<Visitor> }>();
  readonly #timer: NodeJS.Timeout;

  /** @param patience - milliseconds that a set may stay open without anybody */
  constructor(
    private readonly context: Context,
    private readonly patience: number,
  ) {
    this.#timer = setInterval(() => this.look(), Math.min(LOOK_MS, patience)).unref();
  }

  /** Somebody opened a set, or added to it. */
  visit(set: string, visitor: Visitor | undefined): void {
    let visit = this.#visits.get(set);
    if (visit === undefined) {
      visit = { at: 0, visitors: new Set() };
      this.#visits.set(set, visit);
    }
    visit.at = this.context.clock.monotonic();
    if (visitor !== undefined) visit.visitors.add(visitor);
  }

  look(): void {
    const { picture, events, log } = this.context;
    for (const set of picture.tasks.sets.values()) {
      if (!set.open) this.#visits.delete(set.id);
      else if (this.#isAbandoned(set)) {
        events
          .append([{ type: 'set.closed', id: set.id }])
          .catch((error: unknown) => log.error(`task set ${set.id} could not be closed`, error));
      }
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #isAbandoned(set: LiveSet): boolean {
    const visit = this.#visits.get(set.id);
    // Left by an earlier bridge: its client has as long as any to come back.
    if (visit === undefined) this.visit(set.id, undefined);
    if (visit === undefined || set.listeners.size > 0) return false;
    for (const visitor of visit.visitors) if (!visitor.alive) visit.visitors.delete(visitor);
    return visit.visitors.size === 0 && this.context.clock.monotonic() - visit.at > this.patience;
  }
}
