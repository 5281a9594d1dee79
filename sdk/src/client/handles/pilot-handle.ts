import type { PilotRecord, Timeline } from '../../schemas/index.js';
import { type PilotState, pilotStates } from '../../states/index.js';
import type { Duration } from '../../units/duration.js';
import type { BridgeApi } from '../api.js';
import type { RecordCell } from '../picture/record-cell.js';
import type { CallOptions, Explanation, Pilot, TimelineOptions } from '../types.js';
import type { Core } from './core.js';
import { LiveHandle } from './live-handle.js';

/** {@link Pilot} over a session. */
export class PilotHandle extends LiveHandle<PilotState, PilotRecord> implements Pilot {
  readonly kind = 'pilot';

  constructor(core: Core, cell: RecordCell<PilotRecord>) {
    super(core, cell, pilotStates);
  }

  explanation(options?: CallOptions): Promise<Explanation> {
    return this.core.caller.call(`explaining pilot ${this.name}`, options, (api, signal) =>
      api.pilots.explain({ ref: this.id }, { signal }),
    );
  }

  drain(options?: CallOptions): Promise<void> {
    return this.#change(`draining pilot ${this.name}`, options, (api, signal) =>
      api.pilots.drain({ ref: this.id }, { signal }),
    );
  }

  suspend(options?: CallOptions): Promise<void> {
    return this.#change(`suspending pilot ${this.name}`, options, (api, signal) =>
      api.pilots.suspend({ ref: this.id }, { signal }),
    );
  }

  resume(options?: CallOptions): Promise<void> {
    return this.#change(`resuming pilot ${this.name}`, options, (api, signal) =>
      api.pilots.resume({ ref: this.id }, { signal }),
    );
  }

  keep(options?: CallOptions): Promise<void> {
    return this.#change(`keeping pilot ${this.name}`, options, (api, signal) =>
      api.pilots.keep({ ref: this.id }, { signal }),
    );
  }

  extend(by: Duration, options?: CallOptions): Promise<void> {
    return this.#change(`extending pilot ${this.name}`, options, (api, signal) =>
      api.pilots.extend({ ref: this.id, by }, { signal }),
    );
  }

  timeline({ since, limit, ...options }: TimelineOptions = {}): Promise<Timeline> {
    const part = { ...(since === undefined ? {} : { since }), ...(limit === undefined ? {} : { limit }) };
    return this.core.caller.call(`the timeline of pilot ${this.name}`, options, (api, signal) =>
      api.pilots.timeline({ ref: this.id, ...part }, { signal }),
    );
  }

  end(options?: CallOptions): Promise<void> {
    return this.#change(`ending pilot ${this.name}`, options, (api, signal) =>
      api.pilots.end({ ref: this.id }, { signal }),
    );
  }

  async #change(
    what: string,
    options: CallOptions | undefined,
    run: (api: BridgeApi, signal: AbortSignal) => Promise<PilotRecord>,
  ): Promise<void> {
    this.core.store.pilots.put(await this.core.caller.call(what, options, run));
  }
}
