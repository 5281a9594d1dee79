import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BatchSpec, pilotStates, type ServiceSpec } from '@pilothouse/sdk/internal';
import { remoteOf } from '../managers/batches/remote-service.js';
import type { Picture } from '../picture/picture.js';
import { FLAG, placeOf } from '../picture/tasks/columns.js';
import { batchIn, type SpoolEntry, type SpoolWriter, tasksIn } from '../spool/spool-writer.js';
import { logRecordSchema } from './log-records.js';
import { readRecords } from './read-lines.js';

/** Tasks of one line. */
const TASKS_PER_LINE = 1000;

/**
 * Completes the spools: a bridge that was killed between writing a submit into its log and into the spool left work that
 * no agent would ever see, and that a client which repeats its submit is told to be there.
 *
 * @returns how much was missing
 */
export async function repairSpools(home: string, picture: Picture, spool: SpoolWriter): Promise<number> {
  const unheard = unheardOf(picture);
  let repaired = 0;
  const services = new Map<string, string>();
  const batches = new Map<string, string>();
  for (const [pilot, missing] of unheard) {
    for await (const record of spool.read(pilot)) {
      const { type, service } = record;
      for (const id of tasksIn(record)) missing.tasks.delete(id);
      if (type === 'service' && typeof service === 'object') missing.services.delete(service.id);
      missing.batches.delete(batchIn(record) ?? '');
    }
    for (const id of missing.batches) batches.set(id, pilot);
    for (const id of missing.services) services.set(id, pilot);
    repaired += missing.tasks.size + missing.services.size + missing.batches.size;
    const entries = tasksOf(picture, missing.tasks);
    if (entries.length > 0) await spool.append(pilot, entries);
  }
  if (services.size === 0 && batches.size === 0) return repaired;
  for await (const { service, batch } of findSpecs(join(home, 'log'))) {
    const runsOn = services.get(service?.id ?? '');
    if (service !== undefined && runsOn !== undefined) await spool.append(runsOn, [{ type: 'service', service }]);
    const doneOn = batches.get(batch?.id ?? '');
    if (batch === undefined || doneOn === undefined) continue;
    const called = picture.get('service', batch.service);
    const remote = called !== undefined && called.pilot !== doneOn;
    await spool.append(doneOn, [
      ...(remote ? [{ type: 'remote-service' as const, service: remoteOf(called) }] : []),
      { type: 'batch', batch },
    ]);
  }
  return repaired;
}

interface Unheard {
  /** Slot by id. */
  readonly tasks: Map<string, number>;
  readonly services: Set<string>;
  readonly batches: Set<string>;
}

/** What live pilots should have got, and have said nothing about. */
function unheardOf(picture: Picture): Map<string, Unheard> {
  const unheard = new Map<string, Unheard>();
  for (const { id, state } of picture.list('pilot')) {
    if (!pilotStates.isFinal(state)) unheard.set(id, { tasks: new Map(), services: new Set(), batches: new Set() });
  }
  const { tasks } = picture;
  for (const slot of tasks.slots()) {
    // Where a task has been moved, it waits.
    if (tasks.isFinal(slot) || tasks.stateNumber(slot) > 1) continue;
    const pilot = tasks.pilotOf(slot);
    for (const one of pilot === null ? (tasks.offerOf(slot)?.pilots ?? []) : [pilot]) {
      unheard.get(one)?.tasks.set(tasks.idOf(slot), slot);
    }
  }
  for (const { id, pilot, instances } of picture.list('service')) {
    if (pilot !== null && instances.every(({ state }) => state === 'NEW')) unheard.get(pilot)?.services.add(id);
  }
  for (const { id, pilot, state } of picture.list('batch')) {
    if (pilot !== null && state === 'NEW') unheard.get(pilot)?.batches.add(id);
  }
  for (const [pilot, { tasks: some, services, batches }] of unheard) {
    if (some.size === 0 && services.size === 0 && batches.size === 0) unheard.delete(pilot);
  }
  return unheard;
}

/** The spool records of tasks, those together that have everything else in common. */
function tasksOf({ tasks }: Picture, missing: ReadonlyMap<string, number>): SpoolEntry[] {
  const groups = Map.groupBy(missing, ([, slot]) => {
    const group = tasks.chunk(slot).group[placeOf(slot)] ?? 0;
    const offer = tasks.pilotOf(slot) === null ? tasks.offerOf(slot)?.id : undefined;
    return `${group}|${tasks.setOf(slot)?.id}|${offer}|${tasks.has(slot, FLAG.named)}`;
  });
  const entries: SpoolEntry[] = [];
  for (const ones of groups.values()) {
    for (let start = 0; start < ones.length; start += TASKS_PER_LINE) {
      const some = ones.slice(start, start + TASKS_PER_LINE);
      const slot = some[0]?.[1];
      const group = slot === undefined ? undefined : tasks.groups.get(tasks.chunk(slot).group[placeOf(slot)] ?? 0);
      if (slot === undefined || group === undefined) continue;
      const offer = tasks.pilotOf(slot) === null ? tasks.offerOf(slot)?.id : undefined;
      const { template, env, cwd } = group;
      entries.push({
        type: 'tasks',
        batch: { set: tasks.setOf(slot)?.id ?? null, template, env, cwd, tasks: some.map(([id]) => ({ id })) },
        texts: some.map(([, one]) => tasks.text(one)),
        offer,
        giveBack: offer === undefined && !tasks.has(slot, FLAG.named) ? true : undefined,
      });
    }
  }
  return entries;
}

/** What the log holds of services and batches as agents get them. */
async function* findSpecs(folder: string): AsyncGenerator<{ service?: ServiceSpec; batch?: BatchSpec }, void, void> {
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.jsonl')) continue;
    for await (const lines of readRecords(join(folder, name), logRecordSchema)) {
      for (const { value } of lines) {
        if (value.type === 'service.submitted' && value.spec !== null) yield { service: value.spec };
        else if (value.type === 'batch.submitted') yield { batch: value.spec };
      }
    }
  }
}
