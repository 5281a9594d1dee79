import type { Router } from '@orpc/server';
import { type Contract, PilothouseError } from '@pilothouse/sdk/internal';
import type { Context } from '../context.js';
import type { Managers } from '../managers/managers.js';
import type { CallContext } from './implementer.js';
import { enginesRouter } from './routers/engines.js';
import { pilotsRouter } from './routers/pilots.js';
import { servicesRouter } from './routers/services.js';
import { type SystemCalls, systemRouter } from './routers/system.js';
import { tasksRouter } from './routers/tasks.js';

/** What is served of the contract. */
export type ServedContract = Pick<Contract, 'system' | 'engines' | 'pilots' | 'tasks' | 'services'>;

/** Every call of the contract, answered by the manager it concerns. */
export function createRouter(
  context: Context,
  managers: Managers,
  system: SystemCalls,
): Router<ServedContract, CallContext> {
  return {
    system: systemRouter(system),
    engines: enginesRouter(context.engines),
    pilots: pilotsRouter(managers.pilots),
    tasks: tasksRouter(managers.tasks),
    services: servicesRouter(managers.services, {
      templates: () => managers.templates.report(),
      attach: () => Promise.reject(new PilothouseError('ENGINE_UNAVAILABLE', 'services cannot be attached here yet')),
      probe: () => Promise.resolve(),
    }),
  };
}
