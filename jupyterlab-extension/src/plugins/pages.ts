import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { Session } from '@pilothouse/sdk';
import { shortId, type TaskState, taskStates } from '@pilothouse/sdk/internal';
import type { Observable } from 'rxjs';
import type { ReactPanel } from '../components/react-panel.js';
import { HelpPage, helpTitle, isHelpPage } from '../help/help-page.js';
import { helmIcon } from '../icons.js';
import { BatchPage } from '../pages/batch-page.js';
import { PilotPage } from '../pages/pilot-page.js';
import { ServicePage } from '../pages/service-page.js';
import { TaskPage } from '../pages/task-page.js';
import { TasksPage } from '../pages/tasks-page.js';
import { CommandIDs, IPilothouse } from '../tokens.js';
import { argument, rowUnderMenu } from './arguments.js';
import { commandLabel } from './labels.js';

/** Pages of pilots and services in the main area, and help; all come back after a reload. */
export const pagesPlugin: JupyterFrontEndPlugin<void> = {
  id: '@pilothouse/jupyterlab:pages',
  description: 'Pages of pilots, services, batches and tasks, and help.',
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
      readonly nameOf: (id: string, page: T) => string;
      readonly make: (id: string) => T;
      /** What else it was opened with. */
      readonly args?: (page: T) => ReadonlyPartialJSONObject;
      /** Speaks whenever these arguments have changed. */
      readonly changes?: (page: T) => Observable<unknown>;
    }): (id: string) => T {
      const tracker = new WidgetTracker<MainAreaWidget<T>>({ namespace: options.namespace });
      void restorer?.restore(tracker, {
        command: options.command,
        args: (page) => ({ id: page.content.targetId, ...options.args?.(page.content) }),
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
            if (page !== undefined) page.title.label = options.nameOf(id, page.content);
          };
          name();
          // The name is known only once there is a picture.
          const naming = session.picture$.subscribe(name);
          const { content } = page;
          void tracker.add(page);
          naming.add(options.changes?.(content).subscribe(() => page !== undefined && void tracker.save(page)));
          page.disposed.connect(() => naming.unsubscribe());
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
    const openBatch = pages({
      namespace: 'pilothouse-batch',
      command: CommandIDs.openBatch,
      nameOf: (id) => session.picture.batches.find((batch) => batch.id === id)?.name ?? trans.__('Batch'),
      make: (id) => new BatchPage(pilothouse, id),
    });
    const openTask = pages<TaskPage>({
      namespace: 'pilothouse-task',
      command: CommandIDs.openTask,
      nameOf: (id, page) => page.name ?? taskTitle(session, id, trans),
      make: (id) => new TaskPage(pilothouse, id),
    });
    const openTasks = pages<TasksPage>({
      namespace: 'pilothouse-tasks',
      command: CommandIDs.openTasks,
      nameOf: () => trans.__('Tasks'),
      make: () => new TasksPage(pilothouse),
      args: (page) => ({ set: page.shownSet }),
      changes: (page) => page.shownSet$,
    });
    const openHelp = pages({
      namespace: 'pilothouse-help',
      command: CommandIDs.help,
      nameOf: (id) => helpTitle(id),
      make: (id) => new HelpPage(pilothouse, id),
    });

    commands.addCommand(CommandIDs.openPilot, {
      label: commandLabel(trans.__('Open the page of a pilot')),
      execute: async (args) => {
        const id = await argument(app, pilothouse, 'pilot', args);
        if (id !== null) openPilot(id);
      },
    });
    commands.addCommand(CommandIDs.openService, {
      label: commandLabel(trans.__('Open the page of a service')),
      execute: async (args) => {
        const id = await argument(app, pilothouse, 'service', args);
        if (id === null) return;
        const page = openService(id);
        if (typeof args.part === 'string') page.reveal(args.part);
      },
    });
    commands.addCommand(CommandIDs.openBatch, {
      label: commandLabel(trans.__('Open the page of a batch')),
      execute: async (args) => {
        const id = await argument(app, pilothouse, 'batch', args);
        if (id !== null) openBatch(id);
      },
    });
    commands.addCommand(CommandIDs.openTask, {
      label: commandLabel(trans.__('Open the page of a task')),
      execute: async (args) => {
        const id = await argument(app, pilothouse, 'task', args);
        if (id === null) return;
        const page = openTask(id);
        if (typeof args.part === 'string') page.reveal(args.part);
      },
    });
    commands.addCommand(CommandIDs.openTasks, {
      label: commandLabel(trans.__('Open the table of tasks')),
      execute: (args) => {
        const row = args.isPalette === true ? null : rowUnderMenu(app);
        const page = openTasks(TasksPage.id);
        if (typeof args.set === 'string') page.filter({ set: args.set });
        else if (args.set === undefined && row?.kind === 'set') page.filter({ set: row.id });
        else if (typeof args.state === 'string' && isTaskState(args.state)) {
          page.filter({ set: null, states: [args.state] });
        }
      },
    });
    commands.addCommand(CommandIDs.help, {
      label: commandLabel(trans.__('Help')),
      execute: (args) => {
        const wanted = typeof args.id === 'string' ? args.id : args.page;
        openHelp(typeof wanted === 'string' && isHelpPage(wanted) ? wanted : 'sidebar');
      },
    });
  },
};

/** Until its name is known, the number within its set says which task it is. */
function taskTitle(session: Session, id: string, trans: TranslationBundle): string {
  const single = session.picture.tasks.find((task) => task.id === id);
  if (single !== undefined) return single.name;
  const dot = id.lastIndexOf('.');
  const set = session.picture.sets.find((one) => one.id === id.slice(0, dot));
  return set === undefined ? trans.__('Task %1', shortId(id)) : `${set.name}.${id.slice(dot + 1)}`;
}

function isTaskState(value: string): value is TaskState {
  return taskStates.states.some((state) => state === value);
}
