import type { PilotControl } from '../../managers/pilot-control.js';
import type { PilotManager } from '../../managers/pilot-manager.js';
import { os } from '../implementer.js';

export function pilotsRouter(pilots: PilotManager, control: PilotControl) {
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
    drain: os.pilots.drain.handler(({ input }) => control.tell(input.ref, 'drain')),
    suspend: os.pilots.suspend.handler(({ input }) => control.tell(input.ref, 'suspend')),
    resume: os.pilots.resume.handler(({ input }) => control.tell(input.ref, 'resume')),
    keep: os.pilots.keep.handler(({ input }) => control.tell(input.ref, 'keep')),
    extend: os.pilots.extend.handler(({ input }) => control.extend(input.ref, input.by)),
    timeline: os.pilots.timeline.handler(({ input }) => control.timeline(input.ref, input.since, input.limit)),
    end: os.pilots.end.handler(({ input }) => pilots.end(input.ref)),
  };
}
