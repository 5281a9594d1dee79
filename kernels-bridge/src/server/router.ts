import type { Router } from '@orpc/server';
import type { Contract } from '@pilothouse/sdk/internal';
import type { Calls } from '../calls.js';
import type { Context } from '../context.js';
import type { Managers } from '../managers/managers.js';
import type { CallContext } from './implementer.js';
import { answersRouter } from './routers/answers.js';
import { batchesRouter } from './routers/batches.js';
import { credentialsRouter } from './routers/credentials.js';
import { enginesRouter } from './routers/engines.js';
import { pilotsRouter } from './routers/pilots.js';
import { servicesRouter } from './routers/services.js';
import { type SystemCalls, systemRouter } from './routers/system.js';
import { setsRouter, tasksRouter } from './routers/tasks.js';
import { viewsRouter } from './routers/views.js';

/** Every call of the contract, answered by the manager it concerns. */
export function createRouter(
  context: Context,
  managers: Managers,
  calls: Calls,
  system: SystemCalls,
): Router<Contract, CallContext> {
  return {
    system: systemRouter(system),
    engines: enginesRouter(context.engines),
    pilots: pilotsRouter(managers.pilots, managers.control),
    tasks: tasksRouter(managers.tasks, managers.data),
    sets: setsRouter(managers.sets),
    services: servicesRouter(managers.services, managers.serviceControl, {
      templates: () => managers.templates.report(),
      attach: (description, { origin, key }) => calls.attached.attach(description, origin, key),
      detect: (description) => calls.attached.detect(description),
      probe: ({ id }) => calls.attached.probe(id),
      statistics: ({ id }, { step, buckets }) => calls.directory.statistics(id, step, buckets),
    }),
    batches: batchesRouter(managers.batches),
    credentials: credentialsRouter(calls.credentials),
    answers: answersRouter(calls.answers),
    views: viewsRouter(calls.views),
  };
}
