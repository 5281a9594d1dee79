import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILauncher } from '@jupyterlab/launcher';
import { helmIcon } from '../icons.js';
import { CommandIDs, IPilothouse } from '../tokens.js';

const COMMAND = 'pilothouse:launch';

/** A card in the launcher that leads to the sidebar. */
export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: '@pilothouse/jupyterlab:launcher',
  description: 'A card in the launcher.',
  autoStart: true,
  requires: [IPilothouse],
  optional: [ILauncher],
  activate({ commands }: JupyterFrontEnd, { trans }: IPilothouse, launcher: ILauncher | null): void {
    if (launcher === null) return;
    commands.addCommand(COMMAND, {
      label: 'Pilothouse',
      caption: trans.__('Pilots, model services and tasks'),
      icon: helmIcon,
      execute: () => commands.execute(CommandIDs.open),
    });
    launcher.add({ command: COMMAND, category: trans.__('Other'), rank: 1 });
  },
};
