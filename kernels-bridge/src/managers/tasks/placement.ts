import {
  newId,
  PilothouseError,
  type PilotRecord,
  pilotStates,
  type ResolvedTaskEntry,
} from '@pilothouse/sdk/internal';
import type { Context } from '../../context.js';
import type { Offer } from '../../picture/tasks/task-table.js';
import type { PilotManager } from '../pilot-manager.js';
import { findRef } from '../refs.js';
import { checkFits, type Demand, demandOf, fits } from './demand.js';

/** Tasks of one offer at most: whoever takes it takes all of them. */
const OFFERED = 64;

/** Where a task goes: to a pilot (by name, or because it is the only one), to whichever takes it first, or nowhere yet. */
export interface Target {
  readonly pilot: string | null;
  /** Nobody asked for this very pilot. */
  readonly free: boolean;
  /** Pilots that it is offered to. */
  readonly candidates: readonly string[];
}

/** Chooses pilots for tasks. */
export class Placement {
  constructor(
    private readonly context: Context,
    private readonly pilots: PilotManager,
  ) {}

  /** A chooser for tasks that are submitted together: alike ones go to the same place. */
  chooser(): (entry: ResolvedTaskEntry, services: readonly string[], at: string) => Target {
    const known = new Map<string, Target>();
    const live = this.live();
    return (entry, services, at) => {
      const { pilot, cores, gpus, memory, nodes, ranks } = entry;
      const key = `${pilot}|${services[0]}|${cores}|${gpus}|${memory}|${nodes}|${ranks}`;
      let target = known.get(key);
      if (target === undefined) {
        target = this.#choose(entry, services, live, at);
        known.set(key, target);
      }
      return target;
    };
  }

  /** Pilots that take new work. */
  live(): PilotRecord[] {
    return [...this.context.picture.list('pilot')].filter(
      ({ state }) => !pilotStates.isFinal(state) && state !== 'DRAINING',
    );
  }

  /** Where a task goes that has lost its pilot, or never had one. */
  again(entry: ResolvedTaskEntry, live: readonly PilotRecord[]): Target {
    const need = demandOf(entry);
    return targetOf(live.filter((pilot) => fits(need, pilot)));
  }

  /** Splits tasks for the same candidates into offers: small enough that each pilot gets its share. */
  *offers<T>(items: readonly T[], candidates: readonly string[]): Generator<{ offer: Offer; items: readonly T[] }> {
    const { picture } = this.context;
    const cores = candidates.reduce((sum, id) => sum + (picture.get('pilot', id)?.resources.cores ?? 1), 0);
    const size = Math.max(1, Math.min(OFFERED, Math.ceil(items.length / (8 * cores))));
    for (let start = 0; start < items.length; start += size) {
      const offer = { id: newId('key').replace('key', 'offer'), pilots: [...candidates] };
      yield { offer, items: items.slice(start, start + size) };
    }
  }

  #choose(entry: ResolvedTaskEntry, services: readonly string[], live: readonly PilotRecord[], at: string): Target {
    const need = demandOf(entry);
    if (entry.pilot !== undefined) {
      const pilot = this.pilots.choose(entry.pilot);
      checkFits(need, pilot, at);
      return { pilot: pilot.id, free: false, candidates: [] };
    }
    const home = services.map((id) => this.context.picture.get('service', id)?.pilot ?? null).find((id) => id !== null);
    if (home !== undefined) {
      const pilot = this.pilots.choose(home);
      checkFits(need, pilot, at);
      return { pilot: home, free: false, candidates: [] };
    }
    const able = live.filter((pilot) => fits(need, pilot));
    const largest = this.#largest(live, need);
    if (able.length === 0 && largest !== undefined) checkFits(need, largest, at);
    return targetOf(able);
  }

  #largest(live: readonly PilotRecord[], need: Demand): PilotRecord | undefined {
    const by = need.gpus > 0 ? 'gpus' : 'cores';
    return [...live].sort((a, b) => b.resources[by] - a.resources[by])[0];
  }

  /**
   * Id of a service that tasks wait for.
   *
   * @throws PilothouseError SERVICE_NOT_FOUND, SERVICE_STOPPED
   */
  service(ref: string, at: string): string {
    const service = findRef(this.context.picture, this.context.names, 'service', ref);
    if (service.endedAt === null) return service.id;
    throw new PilothouseError('SERVICE_STOPPED', `service "${service.name}" has ended; the task would wait for ever`, {
      hint: 'Start the service again, then submit the task.',
      field: `${at}services`,
      ids: { service: service.id },
    });
  }
}

function targetOf(able: readonly PilotRecord[]): Target {
  const [only, second] = able;
  if (only !== undefined && second === undefined) return { pilot: only.id, free: true, candidates: [] };
  return { pilot: null, free: true, candidates: able.map(({ id }) => id) };
}
