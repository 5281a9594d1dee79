import { placeOf } from './columns.js';
import type { TaskTable } from './task-table.js';

/** Spans that are kept of one pilot. */
const SPANS = 20_000;

/** Who held what, when: one attempt of one task. */
export interface Span {
  readonly slot: number;
  /** When its task was made, which tells it from a later one in the same slot. */
  readonly created: number;
  readonly placed: number;
  /** milliseconds since 1970 */
  readonly start: number;
  end: number | null;
  /** Number of the state that ended it; that of the task while it goes on. */
  state: number;
}

interface Ring {
  readonly spans: Span[];
  readonly open: Map<number, Span>;
  dropped: boolean;
}

/** The last attempts on each pilot, for its timeline. */
export class Timelines {
  readonly #rings = new Map<string, Ring>();

  /** A task holds resources now. */
  begin(table: TaskTable, slot: number, at: number): void {
    const pilot = table.pilotOf(slot);
    const chunk = table.chunk(slot);
    const placed = chunk.placed[placeOf(slot)] ?? 0;
    if (pilot === null || placed === 0) return;
    const ring = this.#ring(pilot);
    if (ring.open.has(slot)) return;
    const created = chunk.created[placeOf(slot)] ?? 0;
    const span: Span = { slot, created, placed, start: at, end: null, state: table.stateNumber(slot) };
    ring.open.set(slot, span);
    ring.spans.push(span);
    // In large steps: shifting one by one would move the whole list each time.
    if (ring.spans.length > SPANS * 1.25) {
      ring.spans.splice(0, ring.spans.length - SPANS);
      ring.dropped = true;
    }
  }

  /** A task holds nothing any more. */
  end(table: TaskTable, slot: number, at: number): void {
    const pilot = table.pilotOf(slot);
    const ring = pilot === null ? undefined : this.#rings.get(pilot);
    const span = ring?.open.get(slot);
    if (span === undefined) return;
    span.end = at;
    span.state = table.stateNumber(slot);
    ring?.open.delete(slot);
  }

  /** Spans that had not ended before a moment, oldest first, at most so many of the newest. */
  of(pilot: string, since: number, limit: number): { readonly spans: Span[]; readonly truncated: boolean } {
    const ring = this.#rings.get(pilot);
    if (ring === undefined) return { spans: [], truncated: false };
    const spans = ring.spans.filter(({ end }) => end === null || end >= since);
    return { spans: spans.slice(-limit), truncated: ring.dropped || spans.length > limit };
  }

  forget(pilot: string): void {
    this.#rings.delete(pilot);
  }

  #ring(pilot: string): Ring {
    let ring = this.#rings.get(pilot);
    if (ring === undefined) {
      ring = { spans: [], open: new Map(), dropped: false };
      this.#rings.set(pilot, ring);
    }
    return ring;
  }
}
