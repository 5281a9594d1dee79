import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Sidebar } from '../panels/sidebar.js';
import { CommandIDs, IPilothouse } from '../tokens.js';
import { commandLabel } from './labels.js';

/** The panel at the left: pilots, services, tasks. */
export const sidebarPlugin: JupyterFrontEndPlugin<void> = {
  id: '@pilothouse/jupyterlab:sidebar',
  description: 'The Pilothouse sidebar.',
  autoStart: true,
  requires: [IPilothouse],
  optional: [ILayoutRestorer],
  activate(app: JupyterFrontEnd, pilothouse: IPilothouse, restorer: ILayoutRestorer | null): void {
    const { commands, shell } = app;
    const { trans } = pilothouse;
    const sidebar = new Sidebar(pilothouse);
    shell.add(sidebar, 'left', { rank: 600, type: 'Pilothouse' });
    restorer?.add(sidebar, 'pilothouse-sidebar');
    commands.addCommand(CommandIDs.open, {
      label: commandLabel(trans.__('Open the Pilothouse sidebar')),
      caption: trans.__('Pilots, services and tasks'),
      execute: () => shell.activateById(sidebar.id),
    });
  },
};
