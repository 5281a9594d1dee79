import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { ReactPanel } from '../components/react-panel.js';
import { HelpPage, helpTitle, isHelpPage } from '../help/help-page.js';
import { helmIcon } from '../icons.js';
import { PilotPage } from '../pages/pilot-page.js';
import { ServicePage } from '../pages/service-page.js';
import { CommandIDs, IPilothouse } from '../tokens.js';
import { argument } from './arguments.js';

/** Pages of pilots and services in the main area, and help; all come back after a reload. */
export const pagesPlugin: JupyterFrontEndPlugin<void> = {
  id: '@pilothouse/jupyterlab:pages',
  description: 'Pages of pilots and services, and help.',
  autoStart: true,
  requires: [IPilothouse],
  optional: [ILayoutRestorer],
  activate(app: JupyterFrontEnd, pilothouse: IPilothouse, restorer: ILayoutRestorer | null): void {
    const { commands, shell } = app;
    const { session, trans } = pilothouse;

    /** Opens the page of one thing, or brings the open one to the front. */
    function pages<T extends ReactPanel & { readonly targetId: string }>(options: {
      readonly namespace: string;
      readonly command: string;
      readonly nameOf: (id: string) => string;
      readonly make: (id: string) => T;
    }): (id: string) => T {
      const tracker = new WidgetTracker<MainAreaWidget<T>>({ namespace: options.namespace });
      void restorer?.restore(tracker, {
        command: options.command,
        args: (page) => ({ id: page.content.targetId }),
        name: (page) => page.content.targetId,
      });
      return (id) => {
        let page = tracker.find((open) => open.content.targetId === id);
        if (page === undefined) {
          page = new MainAreaWidget({ content: options.make(id) });
          page.id = `${options.namespace}-${id}`;
          page.title.icon = helmIcon;
          page.title.closable = true;
          const name = (): void => {
            if (page !== undefined) page.title.label = options.nameOf(id);
          };
          name();
          // The name is known only once there is a picture.
          const naming = session.picture$.subscribe(name);
          page.disposed.connect(() => naming.unsubscribe());
          void tracker.add(page);
          shell.add(page, 'main');
        }
        shell.activateById(page.id);
        return page.content;
      };
    }

    const openPilot = pages({
      namespace: 'pilothouse-pilot',
      command: CommandIDs.openPilot,
      nameOf: (id) => session.picture.pilots.find((pilot) => pilot.id === id)?.name ?? trans.__('Pilot'),
      make: (id) => new PilotPage(pilothouse, id),
    });
    const openService = pages({
      namespace: 'pilothouse-service',
      command: CommandIDs.openService,
      nameOf: (id) => session.picture.services.find((service) => service.id === id)?.name ?? trans.__('Service'),
      make: (id) => new ServicePage(pilothouse, id),
    });
    const openHelp = pages({
      namespace: 'pilothouse-help',
      command: CommandIDs.help,
      nameOf: (id) => helpTitle(id),
      make: (id) => new HelpPage(pilothouse, id),
    });

    commands.addCommand(CommandIDs.openPilot, {
      label: trans.__('Open the page of a pilot'),
      execute: async (args) => {
        const id = await argument(app, pilothouse, 'pilot', args);
        if (id !== null) openPilot(id);
      },
    });
    commands.addCommand(CommandIDs.openService, {
      label: trans.__('Open the page of a service'),
      execute: async (args) => {
        const id = await argument(app, pilothouse, 'service', args);
        if (id === null) return;
        const page = openService(id);
        if (typeof args.part === 'string') page.reveal(args.part);
      },
    });
    commands.addCommand(CommandIDs.help, {
      label: trans.__('Help'),
      execute: (args) => {
        const wanted = typeof args.id === 'string' ? args.id : args.page;
        openHelp(typeof wanted === 'string' && isHelpPage(wanted) ? wanted : 'sidebar');
      },
    });
  },
};
