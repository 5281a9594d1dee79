import type {
  Detection,
  ResolvedAttachDescription,
  ServiceRecord,
  ServiceStatistics,
  TemplateReport,
} from '@pilothouse/sdk/internal';
import type { Submission } from '../../managers/pilot-manager.js';
import type { ServiceControl } from '../../managers/service-control.js';
import type { ServiceManager } from '../../managers/service-manager.js';
import { os } from '../implementer.js';

/** Services that somebody else started, the ones that can be started by name, and what is known of requests to them. */
export interface OtherServices {
  templates(): Promise<TemplateReport[]>;
  attach(description: ResolvedAttachDescription, submission: Submission): Promise<ServiceRecord>;
  /** Looks at an address and keeps nothing. */
  detect(description: ResolvedAttachDescription): Promise<Detection>;
  /** Probes an attached service now. */
  probe(service: ServiceRecord): Promise<void>;
  statistics(service: ServiceRecord, over: { readonly step: number; readonly buckets: number }): ServiceStatistics;
}

export function servicesRouter(services: ServiceManager, control: ServiceControl, others: OtherServices) {
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
    detect: os.services.detect.handler(({ input }) => others.detect(input.description)),
    preview: os.services.preview.handler(({ input }) => services.preview(input.description)),
    probe: os.services.probe.handler(async ({ input }) => {
      const service = services.get(input.ref);
      await (service.origin === 'attached' ? others.probe(service) : control.probe(service));
      return services.get(service.id);
    }),
    scale: os.services.scale.handler(({ input }) => control.scale(input.ref, input.instances)),
    drain: os.services.drain.handler(({ input }) => control.drain(input.ref, input.instance)),
    restart: os.services.restart.handler(({ input }) => control.restart(input.ref, input.instance)),
    statistics: os.services.statistics.handler(({ input: { ref, ...over } }) =>
      others.statistics(services.get(ref), over),
    ),
    stop: os.services.stop.handler(({ input }) => control.stop(input.ref)),
  };
}
