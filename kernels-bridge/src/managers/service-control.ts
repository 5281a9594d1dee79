import {
  type InstanceRecord,
  instanceStates,
  PilothouseError,
  type ResolvedServiceDescription,
  type ServiceRecord,
  serviceStates,
} from '@pilothouse/sdk/internal';
import type { Context } from '../context.js';
import type { SpoolEntry } from '../spool/spool-writer.js';
import { findRef } from './refs.js';
import { checkFits, demandOf } from './tasks/demand.js';

/** What is done to services that run: more or fewer instances, none new for one, one anew, an end. */
export class ServiceControl {
  constructor(private readonly context: Context) {}

  /** @throws PilothouseError INVALID_DESCRIPTION where the pilot can never hold as many */
  async scale(ref: string, instances: ResolvedServiceDescription['instances']): Promise<ServiceRecord> {
    const service = this.#ours(ref, 'scaled');
    const { min, max } = typeof instances === 'number' ? { min: instances, max: instances } : instances;
    this.#checkHeld(service, min);
    await this.context.events.append([{ type: 'service.scaled', id: service.id, instances }]);
    await this.#tell(service, { type: 'scale', service: service.id, min, max });
    return this.#now(service);
  }

  /** One instance, or all and with them the service, takes nothing new and stops when what it has is answered. */
  async drain(ref: string, instance?: number): Promise<ServiceRecord> {
    const service = this.#ours(ref, 'drained');
    if (instance !== undefined) {
      const { id } = this.#instance(service, instance);
      await this.context.events.append([{ type: 'service.drain', id: service.id, instance: id }]);
      await this.#tell(service, { type: 'drain', service: service.id, instance: id });
      return this.#now(service);
    }
    await this.context.events.append([{ type: 'service.drain', id: service.id }]);
    await this.#tell(service, { type: 'drain', service: service.id });
    return this.#now(service);
  }

  /** One instance, or all one after the other, is started anew; the others go on answering. */
  async restart(ref: string, instance?: number): Promise<ServiceRecord> {
    const service = this.#ours(ref, 'restarted');
    const one = instance === undefined ? {} : { instance: this.#instance(service, instance).id };
    await this.#tell(service, { type: 'restart', service: service.id, ...one });
    return this.#now(service);
  }

  /** Ends it; an attached one is only let go. */
  async stop(ref: string): Promise<ServiceRecord> {
    const service = this.#find(ref);
    if (serviceStates.isFinal(service.state)) return service;
    await this.context.events.append([{ type: 'service.stop', id: service.id }]);
    if (service.pilot !== null) await this.#tell(service, { type: 'stop', service: service.id });
    return this.#now(service);
  }

  /** Has the instances of a service of ours probed now; what comes of it is in the picture when this resolves. */
  async probe(service: ServiceRecord): Promise<void> {
    if (service.pilot === null) return;
    const instances = service.instances.filter(isLive).map(({ id }) => id);
    await this.context.link.ask(service.pilot, { type: 'probe', instances });
  }

  #find(ref: string): ServiceRecord {
    return findRef(this.context.picture, this.context.names, 'service', ref);
  }

  #now({ id }: ServiceRecord): ServiceRecord {
    return this.#find(id);
  }

  /** A service that Pilothouse started and that goes on. */
  #ours(ref: string, what: string): ServiceRecord {
    const service = this.#find(ref);
    const ids = { service: service.id };
    if (service.origin === 'attached') {
      throw new PilothouseError('INVALID_DESCRIPTION', `service "${service.name}" is attached and cannot be ${what}`, {
        hint: 'Do it where it was started.',
        ids,
        field: 'ref',
      });
    }
    if (serviceStates.isFinal(service.state) || service.state === 'STOPPING') {
      const doing = service.state === 'STOPPING' ? 'is stopping' : `is ${service.state}`;
      throw new PilothouseError('SERVICE_STOPPED', `service "${service.name}" ${doing} and cannot be ${what}`, {
        hint: 'Start it again.',
        ids,
      });
    }
    return service;
  }

  #instance(service: ServiceRecord, index: number): InstanceRecord {
    const live = service.instances.filter(isLive);
    const found = live.find((instance) => instance.index === index);
    if (found !== undefined) return found;
    const have = live.map((instance) => instance.index).join(', ');
    throw new PilothouseError('INVALID_DESCRIPTION', `service "${service.name}" has no live instance ${index}`, {
      hint: have === '' ? 'None of its instances is live at the moment.' : `Name one of ${have}.`,
      field: 'instance',
      ids: { service: service.id },
    });
  }

  #checkHeld({ description, pilot }: ServiceRecord, instances: number): void {
    const record = this.context.picture.get('pilot', pilot ?? '');
    if (record === undefined || !('resources' in description)) return;
    const { cores = 1, gpus = 0, memory } = description.resources ?? {};
    checkFits(
      demandOf({ cores, gpus, ...(memory === undefined ? {} : { memory }), ranks: instances }),
      record,
      'instances.',
    );
  }

  async #tell(service: ServiceRecord, entry: SpoolEntry): Promise<void> {
    const { context } = this;
    const { pilot } = service;
    if (pilot === null) return;
    context.link.spooled(pilot, await context.spool.append(pilot, [entry]));
  }
}

function isLive({ state }: InstanceRecord): boolean {
  return !instanceStates.isFinal(state);
}
