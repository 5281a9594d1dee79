import type { PilotManager } from '../../managers/pilot-manager.js';
import { os } from '../implementer.js';

export function pilotsRouter(pilots: PilotManager) {
  return {
    submit: os.pilots.submit.handler(({ input: { description, ...submission } }) =>
      pilots.submit(description, submission),
    ),
    ensure: os.pilots.ensure.handler(({ input: { name, description, ...submission } }) =>
      pilots.ensure(name, description, submission),
    ),
    get: os.pilots.get.handler(({ input }) => pilots.get(input.ref)),
    list: os.pilots.list.handler(({ input }) => pilots.list(input.all)),
    preview: os.pilots.preview.handler(({ input }) => pilots.preview(input.description)),
    explain: os.pilots.explain.handler(({ input }) => pilots.explain(input.ref)),
    end: os.pilots.end.handler(({ input }) => pilots.end(input.ref)),
  };
}
