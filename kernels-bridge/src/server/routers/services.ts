import type { ResolvedAttachDescription, ServiceRecord, TemplateReport } from '@pilothouse/sdk/internal';
import type { Submission } from '../../managers/pilot-manager.js';
import type { ServiceManager } from '../../managers/service-manager.js';
import { os } from '../implementer.js';

/** Services that somebody else started, and the ones that can be started by name. */
export interface OtherServices {
  templates(): Promise<TemplateReport[]>;
  attach(description: ResolvedAttachDescription, submission: Submission): Promise<ServiceRecord>;
  /** Probes an attached service now. */
  probe(service: ServiceRecord): Promise<void>;
}

export function servicesRouter(services: ServiceManager, others: OtherServices) {
  return {
    templates: os.services.templates.handler(() => others.templates()),
    start: os.services.start.handler(({ input: { description, ...submission } }) =>
      services.start(description, submission),
    ),
    ensure: os.services.ensure.handler(({ input: { name, description, ...submission } }) =>
      services.ensure(name, description, submission),
    ),
    attach: os.services.attach.handler(({ input: { description, ...submission } }) =>
      others.attach(description, submission),
    ),
    get: os.services.get.handler(({ input }) => services.get(input.ref)),
    list: os.services.list.handler(({ input }) => services.list(input.all)),
    explain: os.services.explain.handler(({ input }) => services.explain(input.ref)),
    log: os.services.log.handler(({ input: { ref, instance, ...range } }) => services.log(ref, instance, range)),
    probe: os.services.probe.handler(async ({ input }) => {
      const service = services.get(input.ref);
      await (service.origin === 'attached' ? others.probe(service) : services.probe(service));
      return services.get(service.id);
    }),
    stop: os.services.stop.handler(({ input }) => services.stop(input.ref)),
  };
}
