import type { PilotRecord } from '../../schemas/index.js';
import { type PilotState, pilotStates } from '../../states/index.js';
import type { RecordCell } from '../picture/record-cell.js';
import type { CallOptions, Pilot } from '../types.js';
import type { Core } from './core.js';
import { LiveHandle } from './live-handle.js';

/** {@link Pilot} over a session. */
export class PilotHandle extends LiveHandle<PilotState, PilotRecord> implements Pilot {
  readonly kind = 'pilot';

  constructor(core: Core, cell: RecordCell<PilotRecord>) {
    super(core, cell, pilotStates);
  }

  async explain(options?: CallOptions): Promise<string> {
    const { text } = await this.core.caller.call(`explaining pilot ${this.name}`, options, (api, signal) =>
      api.pilots.explain({ ref: this.id }, { signal }),
    );
    return text;
  }

  async end(options?: CallOptions): Promise<void> {
    const record = await this.core.caller.call(`ending pilot ${this.name}`, options, (api, signal) =>
      api.pilots.end({ ref: this.id }, { signal }),
    );
    this.core.store.pilots.put(record);
  }
}
