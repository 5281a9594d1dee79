import type { WaitReason } from './demand.js';
import type { Tickets } from './tickets.js';

const CODES: readonly WaitReason['code'][] = [
  'SUSPENDED',
  'WAITS_FOR_CORES',
  'WAITS_FOR_GPUS',
  'WAITS_FOR_MEMORY',
  'WAITS_FOR_NODES',
  'WAITS_FOR_ROOM',
  'WAITS_FOR_TAGS',
  'WAITS_FOR_TURN',
  'WAITS_FOR_PILOT_TIME',
];
const SUSPENDED = 1;

/** What each one who waits was told last, so that nobody is told the same again. */
export class Told {
  readonly #tickets: Tickets;

  constructor(tickets: Tickets) {
    this.#tickets = tickets;
  }

  /** Whether it was told nothing yet, or what no longer holds. */
  isStale(ticket: number): boolean {
    return (this.#tickets.told[ticket] ?? 0) <= SUSPENDED;
  }

  /** Says why it waits, unless it was the same the last time. The words are made only where they are said. */
  tell(ticket: number, code: WaitReason['code'], words: () => string): void {
    const number = CODES.indexOf(code) + 1;
    if (this.#tickets.told[ticket] === number) return;
    this.#tickets.told[ticket] = number;
    this.#tickets.applicant(ticket).waits({ code, text: words() });
  }
}
