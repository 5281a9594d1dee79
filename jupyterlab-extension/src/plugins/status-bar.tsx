import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar, TextItem } from '@jupyterlab/statusbar';
import type { ReactNode } from 'react';
import { ReactPanel } from '../components/react-panel.js';
import { liveSummary } from '../format/summary.js';
import { useApp } from '../hooks/context.js';
import { useLive } from '../hooks/live.js';
import { CommandIDs, IPilothouse } from '../tokens.js';

/** One line in the status bar: what is live. */
export const statusBarPlugin: JupyterFrontEndPlugin<void> = {
  id: '@pilothouse/jupyterlab:status-bar',
  description: 'What is live, in the status bar.',
  autoStart: true,
  requires: [IPilothouse],
  optional: [IStatusBar],
  activate(_app: JupyterFrontEnd, pilothouse: IPilothouse, statusBar: IStatusBar | null): void {
    if (statusBar === null) return;
    let shown: { dispose(): void } | null = null;
    pilothouse.preferences.value$.subscribe(({ statusBar: wanted }) => {
      if (wanted === (shown !== null)) return;
      if (wanted) {
        shown = statusBar.registerStatusItem(statusBarPlugin.id, {
          item: new StatusItem(pilothouse),
          align: 'left',
          rank: 90,
        });
      } else {
        shown?.dispose();
        shown = null;
      }
    });
  },
};

class StatusItem extends ReactPanel {
  protected content(): ReactNode {
    return <Status />;
  }
}

function Status(): JSX.Element {
  const { commands, link, session, trans } = useApp();
  const state = useLive(link.value$, link.value);
  const picture = useLive(session.picture$, session.picture);
  const text =
    state.state === 'connected'
      ? liveSummary(picture, trans)
      : state.state === 'connecting'
        ? trans.__('connecting')
        : trans.__('not connected');
  return (
    <TextItem
      source={`Pilothouse: ${text}`}
      title={trans.__('Open the Pilothouse sidebar')}
      onClick={() => void commands.execute(CommandIDs.open)}
    />
  );
}
