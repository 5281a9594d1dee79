import { PilothouseError, type ServiceSpec } from '@pilothouse/sdk/shared';
import type { Dependencies } from '../tasks/dependencies.js';
import type { Why } from './views.js';

/** What is known of a service that others come after. */
export interface Predecessor {
  readonly spec: ServiceSpec;
  readonly ready: boolean;
  readonly over: boolean;
  readonly hasStarted: boolean;
}

/** Whether a service may start. */
export type Gate =
  | { readonly state: 'open' }
  | { readonly state: 'waits'; readonly why: Why }
  | { readonly state: 'never'; readonly error: PilothouseError };

const OPEN: Gate = { state: 'open' };

/** What comes before a service: other services that are to be ready, tasks that are to be done. */
export class Order {
  readonly #services: (idOrName: string) => Predecessor | undefined;
  readonly #all: () => Iterable<Predecessor>;
  readonly #tasks: Pick<Dependencies, 'check' | 'await'>;
  readonly #changed: () => void;
  readonly #awaited = new Set<string>();

  constructor(parts: {
    readonly services: (idOrName: string) => Predecessor | undefined;
    readonly all: () => Iterable<Predecessor>;
    readonly tasks: Pick<Dependencies, 'check' | 'await'>;
    /** A task that somebody waits for has ended. */
    readonly changed: () => void;
  }) {
    this.#services = parts.services;
    this.#all = parts.all;
    this.#tasks = parts.tasks;
    this.#changed = parts.changed;
  }

  gateOf(spec: ServiceSpec): Gate {
    for (const wanted of spec.after) {
      const service = this.#services(wanted);
      const gate = service ? this.#afterService(spec, service) : this.#afterTask(spec, wanted);
      if (gate.state !== 'open') return gate;
    }
    for (const other of this.#all()) {
      if (other.spec.id === spec.id || other.over || other.ready || !names(other.spec.before, spec)) continue;
      if (this.#waitsFor(other.spec, spec, new Set())) continue;
      return { state: 'waits', why: waitsFor(other) };
    }
    return OPEN;
  }

  #afterService(spec: ServiceSpec, service: Predecessor): Gate {
    const { name, id } = service.spec;
    if (this.#waitsFor(service.spec, spec, new Set())) {
      const error = new PilothouseError('INVALID_DESCRIPTION', `${spec.name} and ${name} wait for each other`, {
        hint: 'Take one of them out of `after`.',
        field: 'after',
        ids: { service: spec.id },
      });
      return { state: 'never', error };
    }
    if (service.ready) return OPEN;
    if (!service.over) return { state: 'waits', why: waitsFor(service) };
    const error = new PilothouseError('DEPENDENCY_FAILED', `service ${name}, which comes first, has ended`, {
      hint: `Look at why ${name} has ended, put it right and start both again.`,
      ids: { service: spec.id, dependency: id },
    });
    return { state: 'never', error };
  }

  #afterTask(spec: ServiceSpec, task: string): Gate {
    const after = [{ task, when: 'done' as const }];
    const found = this.#tasks.check(after);
    if (found.state === 'met') return OPEN;
    if (found.state === 'never') return { state: 'never', error: found.error };
    const key = `${spec.id} ${task}`;
    if (!this.#awaited.has(key)) {
      this.#awaited.add(key);
      this.#tasks.await({ id: spec.id, after, dependencyEnded: this.#changed });
    }
    return { state: 'waits', why: { code: 'WAITS_FOR_TASKS', text: found.text } };
  }

  /** Whether one waits, over however many others, for the other. */
  #waitsFor(one: ServiceSpec, other: ServiceSpec, seen: Set<string>): boolean {
    if (seen.has(one.id)) return false;
    seen.add(one.id);
    for (const wanted of one.after) {
      const service = this.#services(wanted);
      if (service === undefined || service.ready) continue;
      if (service.spec.id === other.id || this.#waitsFor(service.spec, other, seen)) return true;
    }
    return false;
  }
}

function names(list: readonly string[], { id, name }: ServiceSpec): boolean {
  return list.includes(id) || list.includes(name);
}

function waitsFor({ spec }: Predecessor): Why {
  return { code: 'WAITS_FOR_SERVICE', text: `waits for service ${spec.name}` };
}
