import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { VIEW_MIME } from '@pilothouse/sdk/internal';
import { ViewRenderer } from '../cells/renderer.js';
import { IPilothouse } from '../tokens.js';

/** Below the rank of HTML, so that the live view wins over the static one. */
const RANK = 10;

/** Live pilots, services, tasks and answers in cells. */
export const cellsPlugin: JupyterFrontEndPlugin<void> = {
  id: '@pilothouse/jupyterlab:cells',
  description: 'Draws pilots, services, tasks and answers in cells.',
  autoStart: true,
  requires: [IPilothouse, IRenderMimeRegistry],
  activate(_app: JupyterFrontEnd, pilothouse: IPilothouse, rendermime: IRenderMimeRegistry): void {
    rendermime.addFactory(
      {
        // Untrusted outputs are drawn too, for reading only.
        safe: true,
        mimeTypes: [VIEW_MIME],
        createRenderer: ({ sanitizer }) => new ViewRenderer(pilothouse, sanitizer),
      },
      RANK,
    );
  },
};
