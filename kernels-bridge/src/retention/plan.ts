import type { KeepLimits } from '../config.js';

/** Files and the room they take. */
export interface Amount {
  readonly files: number;
  readonly bytes: number;
}

/** Something that can be removed as a whole. */
export interface Unit extends Amount {
  /** What it is, for people: `tasks and journal of pilot "train"`. */
  readonly what: string;
  /** Relative to the state root. */
  readonly paths: readonly string[];
  /** When what it belongs to ended, in milliseconds since 1970. */
  readonly endedAt: number;
  /** Among things that ended together, lower ones go first. */
  readonly rank: number;
  /** A set that can be resumed needs it: only its age makes it go. */
  readonly held: boolean;
  /** What leaves the lists with it. */
  readonly drops?: Dropped;
}

/** Things that leave the lists, by id. */
export interface Dropped {
  readonly pilots: string[];
  readonly sets: string[];
  /** Those that belong to no set. */
  readonly tasks: string[];
  readonly services: string[];
  readonly batches: string[];
}

/** Something that goes, and why. */
export interface Removal {
  readonly unit: Unit;
  readonly why: string;
}

/**
 * Which of what is over goes: everything that is older than the limit, then the oldest until the rest fits.
 *
 * @param fixed - what there is beside the units: what is live, and what is always needed
 * @param now - milliseconds since 1970
 */
export function planRemovals(
  units: readonly Unit[],
  fixed: Amount,
  limits: KeepLimits,
  now: number,
): { removals: Removal[]; kept: Amount } {
  const removals: Removal[] = [];
  let { files, bytes } = fixed;
  for (const unit of units) {
    files += unit.files;
    bytes += unit.bytes;
  }
  const sorted = [...units].sort((a, b) => a.endedAt - b.endedAt || a.rank - b.rank);
  for (const unit of sorted) {
    const why = reason(unit, { files, bytes }, limits, now);
    if (why === null) continue;
    removals.push({ unit, why });
    files -= unit.files;
    bytes -= unit.bytes;
  }
  return { removals, kept: { files, bytes } };
}

function reason(unit: Unit, { files, bytes }: Amount, limits: KeepLimits, now: number): string | null {
  if (now - unit.endedAt > limits.age * 1000) return 'age';
  if (unit.held) return null;
  // What takes no room of its own is of no help.
  if (bytes > limits.bytes && unit.bytes > 0) return 'size';
  return files > limits.files && unit.files > 0 ? 'files' : null;
}
