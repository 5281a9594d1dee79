import { newId, type PilotRecord, type ResolvedServiceDescription, type ServiceRecord } from '@pilothouse/sdk/internal';
import { newInstance } from '../picture/apply-services.js';
import { NO_LOAD } from '../picture/service-state.js';
import type { LaunchPlan } from '../templates/index.js';

/** What a launched service begins with. */
export interface NewService {
  readonly id: string;
  readonly name: string;
  readonly description: ResolvedServiceDescription;
  readonly plan: LaunchPlan;
  readonly pilot: PilotRecord;
  readonly owner: string;
  readonly createdAt: string;
}

/** A launched service as it begins: its first instances are there, and nothing is known of them. */
export function newServiceRecord(parts: NewService): ServiceRecord {
  const { id, name, description, plan, pilot, owner, createdAt } = parts;
  const { contact } = pilot;
  const { instances: wanted } = description;
  const count = typeof wanted === 'number' ? wanted : wanted.min;
  const waits = { code: 'WAITS_FOR_PILOT', text: `waits for pilot "${pilot.name}" to start`, since: createdAt };
  return {
    kind: 'service',
    id,
    name,
    seq: 0,
    state: 'STARTING',
    since: createdAt,
    reason: pilot.state === 'ACTIVE' ? null : waits,
    contact,
    error: null,
    times: { STARTING: createdAt },
    owner,
    createdAt,
    endedAt: null,
    api: plan.api,
    origin: 'launched',
    description,
    template: description.template ?? null,
    pilot: pilot.id,
    model: plan.model,
    url: null,
    credential: null,
    openToNode: !plan.authenticated,
    instances: Array.from({ length: count }, (_, index) =>
      newInstance(newId('instance'), index + 1, createdAt, contact),
    ),
    scale:
      typeof wanted === 'number'
        ? null
        : { min: wanted.min, max: wanted.max, wanted: wanted.min, why: null, since: null },
    methods: null,
    load: NO_LOAD,
  };
}
