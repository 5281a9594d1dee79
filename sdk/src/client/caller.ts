import { PilothouseError } from '../errors/index.js';
import { newId } from '../ids/ids.js';
import type { Origin } from '../schemas/index.js';
import type { BridgeApi } from './api.js';
import type { Connector } from './connection/connector.js';
import { timeoutError, withDeadline } from './deadline.js';
import { decodeError } from './decode-error.js';
import type { CallOptions } from './types.js';

const CALL_SECONDS = 30;
/** A call that takes the bridge down each time must not do so for ever. */
const REPEATS = 3;

/** Makes calls: each bounded in time, waiting while the connection is down, repeated when it breaks under them. */
export class Caller {
  readonly #connector: Connector;
  readonly #origin: () => Origin;

  constructor(connector: Connector, origin: () => Origin) {
    this.#connector = connector;
    this.#origin = origin;
  }

  /**
   * Makes one call. Repeating is safe for every call there is: reads change nothing, endings end once, and submits
   * carry an idempotency key that `run` must have made outside.
   */
  call<T>(
    what: string,
    options: CallOptions | undefined,
    run: (api: BridgeApi, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const attempt = async (signal: AbortSignal): Promise<T> => {
      for (let repeat = 0; ; repeat += 1) {
        const link = await this.#connector.link(signal);
        try {
          return await run(link.api, signal);
        } catch (error) {
          if (signal.aborted) throw signal.reason;
          const decoded = link.lost ?? decodeError(error);
          if (decoded.code !== 'CONNECTION_LOST' || repeat === REPEATS) throw decoded;
        }
      }
    };
    return withDeadline(what, options, CALL_SECONDS, attempt, (seconds) => this.#tooLate(what, seconds));
  }

  /** What each submit carries: whose it is, and the key that makes it safe to repeat. */
  submission(): { origin: Origin; key: string } {
    return { origin: this.#origin(), key: newId('key') };
  }

  get origin(): Origin {
    return this.#origin();
  }

  /** While the connection is down, that is the reason, and not the call. */
  #tooLate(what: string, seconds: number): PilothouseError {
    const { state, error } = this.#connector.state.value;
    const late = timeoutError(what, seconds);
    if (state === 'CONNECTED') return late;
    const cause = error ? new PilothouseError(error.code, error.message, { hint: error.hint, cause: late }) : late;
    return new PilothouseError(
      'BRIDGE_UNREACHABLE',
      `${what}: no connection to Pilothouse. ${error?.message ?? ''}`.trim(),
      {
        hint: error?.hint ?? 'Run "pilothouse doctor" to see why.',
        cause,
      },
    );
  }
}
