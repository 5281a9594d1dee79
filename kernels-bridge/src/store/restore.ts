import { setImmediate as nextTurn } from 'node:timers/promises';
import { pilotStates, type ServiceRecord, toErrorData } from '@pilothouse/sdk/internal';
import type { JournalIntake } from '../link/journal-intake.js';
import type { Logger } from '../logger.js';
import type { Keys } from '../picture/keys.js';
import type { Picture } from '../picture/picture.js';
import { settlePilot } from '../picture/settle.js';
import type { Cache } from './cache.js';
import type { EventLog } from './event-log.js';
import { type Position, positionSchema } from './position.js';

/** What takes part in making the picture again at a start. */
export interface Restorable {
  readonly home: string;
  readonly cache: Cache;
  readonly picture: Picture;
  readonly keys: Keys;
  readonly events: EventLog;
  readonly intake: JournalIntake;
  readonly log: Logger;
}

/**
 * Brings the picture up to date after {@link loadCache}: the lines of the logs that the cache does not hold, then what
 * agents did meanwhile.
 *
 * @returns how far each log file has been read
 * @throws PilothouseError LOG_DAMAGED naming file and line
 */
export async function replayLogs(
  parts: Restorable,
  position: Position | null,
  now: string,
): Promise<Map<string, number>> {
  const { picture, events, intake, log } = parts;
  if (position !== null) {
    events.continueAfter(position.logSeq);
    for (const [pilot, known] of Object.entries(position.journals)) intake.restore(pilot, known);
  }
  const reached = await events.replay(new Map(Object.entries(position?.logs ?? {})));
  for (const pilot of [...picture.list('pilot')]) {
    if (position !== null && pilotStates.isFinal(pilot.state) && position.journals[pilot.id] === undefined) continue;
    try {
      await intake.readFiles(pilot.id);
    } catch (error) {
      // One pilot's damaged journal must not keep all others from being seen: the pilot itself says what is wrong.
      log.error(`the journal of ${pilot.id} cannot be read`, error);
      picture.update('pilot', pilot.id, () => ({ error: toErrorData(error) }));
    }
    settlePilot(picture, pilot.id, now);
  }
  for (const set of picture.tasks.sets.values()) set.keepPlan();
  return reached;
}

/**
 * Makes the picture as the cache has it.
 *
 * @returns how far that reaches; null: the cache is empty, damaged or another home's, and the logs are to be read in full
 */
export async function loadCache({ home, cache, picture, keys, log }: Restorable): Promise<Position | null> {
  try {
    const text = cache.meta('position');
    if (text === undefined) return null;
    const position = positionSchema.parse(JSON.parse(text));
    if (position.home !== home) throw new Error(`it belongs to ${position.home}`);
    for (const page of cache.records()) {
      for (const record of page) {
        if (record.kind === 'pilot') picture.put('pilot', record);
        else if (record.kind === 'service') picture.put('service', forgetLoad(record));
        else if (record.kind === 'batch') picture.put('batch', record);
      }
      await nextTurn();
    }
    await loadTasks(cache, picture);
    for (const page of cache.keys()) {
      // The key of a thing that is gone has done its work.
      for (const [key, made] of page) if (picture.has(made.kind, made.id)) keys.set(key, made);
    }
    keys.takeNew();
    return position;
  } catch (error) {
    log.warn(`the cache is not used, the logs are read instead: ${String(error)}`);
    picture.tasks.clear();
    for (const kind of ['pilot', 'service', 'batch'] as const) {
      for (const { id } of [...picture.list(kind)]) picture.remove(kind, id);
    }
    cache.clear();
    return null;
  }
}

async function loadTasks({ tasks: cached }: Cache, { tasks }: Picture): Promise<void> {
  const shared = cached.shared();
  if (shared === null) return;
  const sets = cached.sets();
  tasks.restore(shared, sets);
  for (const { id, bytes, texts } of cached.arenas()) tasks.texts.restore(id, Buffer.from(bytes), texts);
  for (const chunk of cached.chunks()) {
    tasks.restoreChunk(chunk);
    await nextTurn();
  }
  tasks.restored(sets);
}

/** Requests of the last bridge ended with it. */
function forgetLoad(service: ServiceRecord): ServiceRecord {
  return { ...service, load: { ...service.load, outstanding: 0, queued: 0 } };
}
