import { pilotStates } from '@pilothouse/sdk/internal';
import type { LogRecord } from '../store/log-records.js';
import { cancelBatch } from './apply-batches.js';
import { draining, scaled, stopping } from './apply-services.js';
import { applyTaskLog } from './apply-task-log.js';
import type { Keys } from './keys.js';
import type { Picture } from './picture.js';
import { enterPilotState, settlePilot } from './settle.js';

const ASKED = { code: 'STOPPING', text: 'asked to stop' };
const DRAINS = { code: 'DRAINING', text: 'takes nothing new; stops when what it has is answered' };

/** Lets a record of the bridge's own log take effect on the picture: live, and again when the log is replayed. */
export function applyLog(picture: Picture, keys: Keys, record: LogRecord): void {
  switch (record.type) {
    case 'pilot.submitted':
      keys.set(record.key, { kind: 'pilot', id: record.pilot.id });
      if (picture.get('pilot', record.pilot.id) === undefined) picture.put('pilot', record.pilot);
      return;
    case 'pilot.state':
      enterPilotState(picture, record.id, record.state, record.t, { reason: record.reason, error: record.error });
      settlePilot(picture, record.id, record.t);
      return;
    case 'pilot.end':
      picture.update('pilot', record.id, (pilot) =>
        pilotStates.isFinal(pilot.state)
          ? null
          : { reason: { code: 'ENDING', text: 'asked to end with everything on it', since: record.t } },
      );
      return;
    case 'service.submitted':
      keys.set(record.key, { kind: 'service', id: record.service.id });
      if (picture.get('service', record.service.id) === undefined) picture.put('service', record.service);
      return;
    case 'service.stop':
      picture.update('service', record.id, (service) => stopping(picture, service, record.t, ASKED));
      return;
    case 'service.drain':
      picture.update('service', record.id, (service) =>
        record.instance === undefined
          ? stopping(picture, service, record.t, DRAINS)
          : draining(service, record.instance, record.t),
      );
      return;
    case 'service.scaled':
      picture.update('service', record.id, (service) => scaled(service, record.instances, record.t));
      return;
    case 'batch.submitted':
      keys.set(record.key, { kind: 'batch', id: record.batch.id });
      if (picture.get('batch', record.batch.id) === undefined) picture.put('batch', record.batch);
      return;
    case 'batch.cancel':
      picture.update('batch', record.id, (batch) => cancelBatch(picture, batch, record.t));
      return;
    case 'dropped':
      for (const id of record.sets) picture.remove('set', id);
      for (const id of record.tasks) picture.remove('task', id);
      for (const id of record.services) picture.remove('service', id);
      for (const id of record.batches) picture.remove('batch', id);
      for (const id of record.pilots) picture.remove('pilot', id);
      return;
    case 'forgotten':
      picture.remove(record.kind, record.id);
      return;
    default:
      applyTaskLog(picture, keys, record);
  }
}
