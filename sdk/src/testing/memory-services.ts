import type { BridgeApi } from '../client/api.js';
import { newId } from '../ids/ids.js';
import {
  attachDescriptionSchema,
  type InstanceRecord,
  type ServiceRecord,
  serviceDescriptionSchema,
} from '../schemas/index.js';
import type { MemoryBridge } from './memory-bridge.js';
import { explain, slice } from './memory-words.js';
import { parse } from './parse.js';
import { testInstance, testService } from './records.js';
import type { Script } from './script.js';

/** The calls `services.*` over a {@link MemoryBridge}: services are READY at once, and scale at once. */
export function memoryServices(bridge: MemoryBridge, script: Script): BridgeApi['services'] {
  const start = (description: unknown, name: string | undefined, owner: string, key: string): ServiceRecord => {
    const resolved = parse(serviceDescriptionSchema, description);
    const template = resolved.template ?? (resolved.command === undefined ? name : undefined) ?? null;
    const { id } = bridge.once(key, () =>
      scaled(
        testService({
          description: resolved,
          api: resolved.api ?? 'openai',
          template,
          owner,
          name: name ?? resolved.name ?? template ?? newId('service'),
        }),
        resolved.instances,
      ),
    );
    return bridge.find('service', id);
  };

  /** The instances named, or all that there are, as `change` makes them. */
  const each = (ref: string, index: number | undefined, change: (instance: InstanceRecord) => InstanceRecord) => {
    const service = bridge.find('service', ref);
    const instances = service.instances.map((instance) =>
      index === undefined || instance.index === index ? change(instance) : instance,
    );
    return bridge.put({ ...service, instances });
  };

  return {
    templates: async () => [...script.templates],
    start: async ({ description, origin, key }) => start(description, undefined, origin.name, key),
    ensure: async ({ name, description, origin, key }) =>
      bridge.list('service', false).find((service) => service.name === name) ??
      start(description, name, origin.name, key),
    attach: async ({ description, origin, key }) => {
      const resolved = parse(attachDescriptionSchema, description);
      const { id } = bridge.once(key, () =>
        testService({
          origin: 'attached',
          description: resolved,
          api: resolved.api ?? 'openai',
          template: null,
          pilot: null,
          url: resolved.url,
          credential: resolved.credential ?? null,
          owner: origin.name,
          name: resolved.name ?? new URL(resolved.url).hostname,
        }),
      );
      return bridge.find('service', id);
    },
    get: async ({ ref }) => bridge.find('service', ref),
    list: async (input) => bridge.list('service', input?.all ?? false),
    explain: async ({ ref }) => explain(bridge.find('service', ref)),
    log: async ({ ref, offset = 0, limit = 65536 }) => {
      bridge.find('service', ref);
      return slice('', offset, limit);
    },
    detect: async ({ description }) => {
      const { url, api } = parse(attachDescriptionSchema, description);
      return {
        api: api ?? 'openai',
        base: url,
        models: ['smollm2'],
        asksForKey: false,
        evidence: [`GET ${url}: 200`],
        remedy: null,
      };
    },
    preview: async ({ description }) => {
      const { command = [], template = null } = parse(serviceDescriptionSchema, description);
      return { sentence: `Runs ${template ?? command.join(' ')}`, command, findings: [] };
    },
    probe: async ({ ref }) => bridge.find('service', ref),
    scale: async ({ ref, instances }) =>
      bridge.put(scaled(bridge.find('service', ref), parse(serviceDescriptionSchema, { instances }).instances)),
    drain: async ({ ref, instance }) => each(ref, instance, (one) => ({ ...one, draining: true })),
    restart: async ({ ref, instance }) =>
      each(ref, instance, (one) => ({ ...one, draining: false, attempt: one.attempt + 1 })),
    statistics: async ({ ref, step = 2 }) => {
      bridge.find('service', ref);
      return { step, buckets: [] };
    },
    stop: async ({ ref }) => {
      const { id } = bridge.find('service', ref);
      bridge.move(id, 'STOPPED');
      return bridge.find('service', id);
    },
  };
}

/** With as many instances as are asked for at least, all READY. */
function scaled(
  service: ServiceRecord,
  wanted: number | { readonly min: number; readonly max: number },
): ServiceRecord {
  const count = typeof wanted === 'number' ? wanted : wanted.min;
  const instances = Array.from(
    { length: count },
    (_, at) => service.instances[at] ?? testInstance({ index: at + 1, since: service.since }),
  );
  const scale =
    typeof wanted === 'number' ? null : { min: wanted.min, max: wanted.max, wanted: count, why: null, since: null };
  return { ...service, instances, scale };
}
