import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { connectBrowser } from '@pilothouse/sdk/browser';
import { PilothouseError } from '@pilothouse/sdk/internal';
import { problemLine, problemOf } from '../format/problem.js';
import { Hidden } from '../session/hidden.js';
import { LinkMonitor } from '../session/link.js';
import { Memory } from '../session/memory.js';
import { TrackedNotebook } from '../session/notebook-target.js';
import { Preferences } from '../session/preferences.js';
import { Server } from '../session/server.js';
import { IPilothouse } from '../tokens.js';

/** The page's one session with Pilothouse, and what goes with it. */
export const sessionPlugin: JupyterFrontEndPlugin<IPilothouse> = {
  id: '@pilothouse/jupyterlab:session',
  description: 'Connects this page to Pilothouse.',
  autoStart: true,
  provides: IPilothouse,
  optional: [ISettingRegistry, IStateDB, ITranslator, INotebookTracker, IRenderMimeRegistry],
  activate(
    app: JupyterFrontEnd,
    settings: ISettingRegistry | null,
    stateDB: IStateDB | null,
    translator: ITranslator | null,
    notebooks: INotebookTracker | null,
    rendermime: IRenderMimeRegistry | null,
  ): IPilothouse {
    const trans = (translator ?? nullTranslator).load('pilothouse');
    const server = new Server(app.serviceManager.serverSettings);
    const session = connectBrowser({
      name: 'JupyterLab',
      url: () => server.websocketUrl(),
      diagnose: async () => {
        const { error } = await server.status();
        return error === null ? null : PilothouseError.from(error);
      },
    });
    const preferences = new Preferences();
    settings?.load(sessionPlugin.id).then(
      (loaded) => preferences.follow(loaded),
      (error: unknown) => console.warn('Pilothouse goes on with its default settings.', error),
    );
    return {
      session,
      link: new LinkMonitor(session, server),
      preferences,
      memory: new Memory(stateDB),
      hidden: new Hidden(session, (error) => {
        Notification.error(trans.__('Not taken off the list. %1', problemLine(problemOf(error))), { autoClose: 8000 });
      }),
      notebook: new TrackedNotebook(notebooks, (id) => app.shell.activateById(id)),
      rendermime,
      commands: app.commands,
      trans,
    };
  },
};
