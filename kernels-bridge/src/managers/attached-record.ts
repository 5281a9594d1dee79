import { newId, type ResolvedAttachDescription, type ServiceRecord } from '@pilothouse/sdk/internal';
import type { Checked } from '@pilothouse/serving';
import { newInstance } from '../picture/apply-services.js';
import { NO_LOAD } from '../picture/service-state.js';

/** What an attached service begins with. */
export interface NewAttached {
  readonly id: string;
  readonly name: string;
  readonly description: ResolvedAttachDescription;
  readonly checked: Checked;
  readonly keyFile: string | null;
  readonly owner: string;
  readonly t: string;
}

/** A service of somebody else as it begins: it was checked a moment ago, so it is READY. */
export function newAttachedRecord(parts: NewAttached): ServiceRecord {
  const { id, name, description, checked, keyFile, owner, t } = parts;
  const { api, base, methods, model, open, latency, text } = checked;
  const contact = { lost: false, since: t };
  const port = api === 'zeromq' || api === 'ru-zmq' ? 'zmq' : 'http';
  return {
    kind: 'service',
    id,
    name,
    seq: 0,
    state: 'READY',
    since: t,
    reason: null,
    contact,
    error: null,
    times: { STARTING: t, READY: t },
    owner,
    createdAt: t,
    endedAt: null,
    api,
    origin: 'attached',
    description,
    template: null,
    pilot: null,
    model,
    url: base,
    credential: description.credential ?? null,
    openToNode: open,
    instances: [
      {
        ...newInstance(newId('instance'), 1, t, contact),
        state: 'READY',
        attempt: 0,
        endpoint: { url: base, ports: { [port]: base }, keyFile, serverKey: description.serverKey ?? null },
        probe: { ok: true, at: t, latency, text: `${text}, when it was attached` },
        times: { READY: t },
      },
    ],
    scale: null,
    methods: methods === null ? null : [...methods],
    load: NO_LOAD,
  };
}
