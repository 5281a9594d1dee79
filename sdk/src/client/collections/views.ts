import { Observable } from 'rxjs';
import type { ViewUpdate } from '../../schemas/index.js';
import type { Caller } from '../caller.js';
import type { Connector } from '../connection/connector.js';
import { decodeError } from '../decode-error.js';
import { onAbort } from '../on-abort.js';
import { creditStream } from '../streams/credit-stream.js';
import type { Views } from '../types.js';

/** `session.views`: how renderers and kernels meet on a view. */
export function viewsOf(caller: Caller, connector: Connector, closed: AbortSignal): Views {
  return {
    render: (viewId, target) =>
      caller.call('drawing the view', undefined, (api, signal) => api.views.render({ viewId, target }, { signal })),
    join: (viewId, target, role) =>
      new Observable((subscriber) => {
        const leave = new AbortController();
        const forget = onAbort(closed, () => leave.abort());
        subscriber.add(() => {
          forget();
          leave.abort();
        });
        const read = async () => {
          let confirmed = false;
          const updates = creditStream<ViewUpdate>(
            connector,
            (api, flow, signal) => api.views.join({ viewId, target, role, ...flow }, { signal }),
            { signal: leave.signal, finished: () => confirmed },
          );
          for await (const update of updates) {
            confirmed = update.confirmed;
            subscriber.next(update);
          }
          subscriber.complete();
        };
        read().catch((error: unknown) => {
          if (leave.signal.aborted) subscriber.complete();
          else subscriber.error(decodeError(error));
        });
      }),
    async confirm(viewId) {
      await caller.call('confirming the view', undefined, (api, signal) => api.views.confirm({ viewId }, { signal }));
    },
  };
}
