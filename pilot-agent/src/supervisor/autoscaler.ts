import { formatSeconds } from '@pilothouse/sdk/shared';

/** Between which numbers of instances, and how soon. */
export interface Scale {
  readonly min: number;
  readonly max: number;
  /** Requests per instance above which there is too much to do. */
  readonly target: number;
  /** seconds */
  readonly upAfter: number;
  readonly downAfter: number;
}

/** What is known at a moment. */
export interface Moment {
  /** milliseconds, monotonic */
  readonly now: number;
  /** Requests under way and waiting. */
  readonly load: number;
  /** Instances that there should be by now. */
  readonly wanted: number;
  /** Instances below which it must not go, because something uses the service. */
  readonly floor: number;
  /** Instances that the pilot can hold. */
  readonly room: number;
}

/** A new number of instances, or the old one and what keeps it from growing. */
export interface Decision {
  readonly wanted: number;
  readonly why: string;
}

/** Decides how many instances there should be, by what there is to do. */
export class Autoscaler {
  readonly #scale: Scale;
  #tooMuchSince: number | undefined;
  #tooLittleSince: number | undefined;
  /** Most instances that would have had enough to do since then. */
  #peak = 0;

  constructor(scale: Scale) {
    this.#scale = scale;
  }

  /** undefined: there is nothing to change. */
  decide(moment: Moment): Decision | undefined {
    const { now, load, wanted, floor, room } = moment;
    const { min, max, target } = this.#scale;
    const least = Math.max(min, Math.min(floor, max));
    const useful = Math.min(max, Math.max(least, Math.ceil(load / target)));
    this.#tooMuchSince = useful > wanted ? (this.#tooMuchSince ?? now) : undefined;
    if (useful < wanted) {
      this.#peak = this.#tooLittleSince === undefined ? useful : Math.max(this.#peak, useful);
      this.#tooLittleSince ??= now;
    } else this.#tooLittleSince = undefined;
    if (wanted < least) return this.#up(least, `${wanted} → ${least}: ${leastWords(least, min)}`);
    if (wanted > max) return this.#down(max, `${wanted} → ${max}: at most ${max} were asked for`);
    if (useful > wanted) return this.#more(moment, useful, room);
    return this.#fewer(moment);
  }

  #more({ now, load, wanted }: Moment, useful: number, room: number): Decision | undefined {
    const { upAfter } = this.#scale;
    // Nobody answers as long as there is none: that is not waited for.
    if (wanted === 0) return this.#up(1, `0 → 1: ${requests(load)} to answer`);
    const since = this.#tooMuchSince ?? now;
    if (now - since < upAfter * 1000) return undefined;
    // Twice as many at most: those that start now have not taken their part yet.
    const next = Math.min(useful, wanted * 2, Math.max(wanted, room));
    const busy = `${requests(load)} for ${instances(wanted)}, for ${formatSeconds(upAfter)}`;
    if (next > wanted) return this.#up(next, `${wanted} → ${next}: ${busy}`);
    // Without the figures, which change with every request: it is written down once.
    return { wanted, why: `stays at ${wanted}: there is more to do, but the pilot has no room for more` };
  }

  #fewer({ now, load, wanted }: Moment): Decision | undefined {
    const { downAfter } = this.#scale;
    const since = this.#tooLittleSince;
    if (since === undefined || now - since < downAfter * 1000 || this.#peak >= wanted) return undefined;
    const next = this.#peak;
    const idle = load === 0 && next === 0 ? 'no requests' : `${requests(load)} for ${instances(wanted)}`;
    return this.#down(next, `${wanted} → ${next}: ${idle}, for ${formatSeconds(downAfter)}`);
  }

  #up(wanted: number, why: string): Decision {
    // Those that start now get as long as these had before there are more.
    this.#tooMuchSince = undefined;
    return { wanted, why };
  }

  #down(wanted: number, why: string): Decision {
    this.#tooLittleSince = undefined;
    return { wanted, why };
  }
}

function leastWords(least: number, min: number): string {
  return least > min ? 'something waits for it' : `at least ${min} ${min === 1 ? 'was' : 'were'} asked for`;
}

function requests(load: number): string {
  return `${load} request${load === 1 ? '' : 's'}`;
}

function instances(count: number): string {
  return `${count} instance${count === 1 ? '' : 's'}`;
}
