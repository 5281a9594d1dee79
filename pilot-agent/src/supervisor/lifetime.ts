import { formatSeconds, type ServiceSpec } from '@pilothouse/sdk/shared';
import type { Why } from './views.js';

/** Knows when a service has lived long enough. What a batch or a task uses lives on. */
export class Lifetime {
  readonly #until: number | undefined;
  readonly #idle: number | undefined;
  #usedAt: number;

  /** @param now - milliseconds since 1970 */
  constructor({ until, idle }: ServiceSpec['lifetime'], now: number) {
    this.#until = until === null ? undefined : Date.parse(until);
    this.#idle = idle ?? undefined;
    this.#usedAt = now;
  }

  /** Whether it can end by itself at all. */
  get limited(): boolean {
    return this.#until !== undefined || this.#idle !== undefined;
  }

  /** Why it ends now; undefined: it goes on. @param used - whether anybody uses it, or could not yet */
  over(now: number, used: boolean, held: boolean): Why | undefined {
    if (used || held) this.#usedAt = now;
    if (held) return undefined;
    if (this.#until !== undefined && now >= this.#until) {
      return { code: 'LIFETIME_OVER', text: 'the time that it was asked for is over' };
    }
    if (this.#idle !== undefined && now - this.#usedAt >= this.#idle * 1000) {
      return { code: 'IDLE', text: `nobody has used it for ${formatSeconds(this.#idle)}` };
    }
    return undefined;
  }
}
