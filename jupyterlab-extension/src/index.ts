/** `@pilothouse/jupyterlab`: Pilothouse in JupyterLab, one plugin per feature. */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { cellsPlugin } from './plugins/cells.js';
import { commandsPlugin } from './plugins/commands.js';
import { launcherPlugin } from './plugins/launcher.js';
import { notificationsPlugin } from './plugins/notifications.js';
import { pagesPlugin } from './plugins/pages.js';
import { runningPlugin } from './plugins/running.js';
import { sessionPlugin } from './plugins/session.js';
import { sidebarPlugin } from './plugins/sidebar.js';
import { statusBarPlugin } from './plugins/status-bar.js';

export { CommandIDs, IPilothouse } from './tokens.js';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  sessionPlugin,
  sidebarPlugin,
  commandsPlugin,
  pagesPlugin,
  cellsPlugin,
  statusBarPlugin,
  launcherPlugin,
  runningPlugin,
  notificationsPlugin,
];

export default plugins;
