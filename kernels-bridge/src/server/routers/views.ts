import type { ViewManager } from '../../managers/views/view-manager.js';
import { streamBatches } from '../../streams/stream.js';
import { os } from '../implementer.js';

export function viewsRouter(views: ViewManager) {
  return {
    render: os.views.render.handler(({ input }) => views.render(input.viewId, input.target)),
    join: os.views.join.handler(({ input, context, signal }) => {
      const { viewId, target, role } = input;
      const open = () => views.join(viewId, target, role);
      return streamBatches(open, input, context.connection.credits, signal ?? new AbortController().signal);
    }),
    confirm: os.views.confirm.handler(({ input }) => {
      views.confirm(input.viewId);
      return {};
    }),
  };
}
