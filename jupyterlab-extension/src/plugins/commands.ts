import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { cancelBatch } from '../actions/batches.js';
import { ActionContext, type Args } from '../actions/context.js';
import { drainPilot, endPilot, extendPilot, keepPilot, resumePilot, suspendPilot } from '../actions/pilots.js';
import { drainService, probeService, restartService, scaleService, stopService } from '../actions/services.js';
import { copyDiagnosis, copyId, explain, hide, insert } from '../actions/shared.js';
import { cancelSet, cancelTasks, openTaskLogs, retryFailed, retryTasks } from '../actions/tasks.js';
import { CommandIDs, IPilothouse } from '../tokens.js';
import { tryDemo } from './demo.js';
import { commandLabel } from './labels.js';

/** Every action of Pilothouse as a command: for palette, menus, rows and keys alike. */
export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: '@pilothouse/jupyterlab:commands',
  description: 'All actions of Pilothouse as commands.',
  autoStart: true,
  requires: [IPilothouse],
  optional: [ICommandPalette],
  activate(app: JupyterFrontEnd, pilothouse: IPilothouse, palette: ICommandPalette | null): void {
    const context = new ActionContext(app, pilothouse);
    const { trans } = pilothouse;
    const add = (
      id: string,
      label: string,
      action: (context: ActionContext, args: Args) => Promise<void> | void,
      online = true,
    ): void => {
      app.commands.addCommand(id, {
        label: commandLabel(label),
        isEnabled: () => !online || pilothouse.link.value.state === 'connected',
        execute: (args) => context.attempt(async () => action(context, args)),
      });
    };
    add(CommandIDs.newPilot, trans.__('New pilot…'), async (_context, args) => {
      const { newPilot } = await import('../dialogs/new-pilot.js');
      const made = await newPilot(pilothouse);
      // Whoever came from a form that lacked a pilot goes on there.
      if (made && typeof args.next === 'string') await app.commands.execute(args.next);
    });
    add(CommandIDs.startService, trans.__('Start service…'), async () => {
      const { startService } = await import('../dialogs/start-service.js');
      await startService(pilothouse);
    });
    add(CommandIDs.attachService, trans.__('Attach service…'), async () => {
      const { attachService } = await import('../dialogs/attach-service.js');
      await attachService(pilothouse);
    });
    add(CommandIDs.runTask, trans.__('Run a task…'), async () => {
      const { runTask } = await import('../dialogs/run-task.js');
      await runTask(pilothouse);
    });
    add(CommandIDs.tryDemo, trans.__('Try the demo'), () => tryDemo(pilothouse));
    add(CommandIDs.endPilot, trans.__('End pilot…'), endPilot);
    add(CommandIDs.drainPilot, trans.__('Let a pilot finish…'), drainPilot);
    add(CommandIDs.suspendPilot, trans.__('Start nothing new on a pilot'), suspendPilot);
    add(CommandIDs.resumePilot, trans.__('Resume a pilot'), resumePilot);
    add(CommandIDs.extendPilot, trans.__('Extend a pilot…'), extendPilot);
    add(CommandIDs.keepPilot, trans.__('Keep a pilot that has nothing to do'), keepPilot);
    add(CommandIDs.stopService, trans.__('Stop service…'), stopService);
    add(CommandIDs.scaleService, trans.__('Scale service…'), scaleService);
    add(CommandIDs.drainService, trans.__('Drain service…'), drainService);
    add(CommandIDs.restartService, trans.__('Restart service…'), restartService);
    add(CommandIDs.probeService, trans.__('Probe a service now'), probeService);
    add(CommandIDs.cancelTask, trans.__('Cancel task…'), cancelTasks);
    add(CommandIDs.retryTask, trans.__('Retry task'), retryTasks);
    add(CommandIDs.openTaskLog, trans.__('Open the log of a task'), openTaskLogs);
    add(CommandIDs.cancelSet, trans.__('Cancel task set…'), cancelSet);
    add(CommandIDs.retryFailed, trans.__('Retry what failed in a task set'), retryFailed);
    add(CommandIDs.cancelBatch, trans.__('Cancel batch…'), cancelBatch);
    add(CommandIDs.explain, trans.__('Explain the state'), explain);
    add(CommandIDs.insert, trans.__('Insert into notebook'), insert, false);
    add(CommandIDs.copyId, trans.__('Copy the id'), copyId, false);
    add(CommandIDs.hide, trans.__('Hide from the list'), hide);
    add(CommandIDs.reconnect, trans.__('Connect again'), () => pilothouse.link.retry(), false);
    add(CommandIDs.copyDiagnosis, trans.__('Copy diagnosis'), copyDiagnosis, false);
    pilothouse.link.value$.subscribe(() => app.commands.notifyCommandChanged());

    const notListed: readonly string[] = [CommandIDs.hide, CommandIDs.copyId];
    for (const command of Object.values(CommandIDs)) {
      if (!notListed.includes(command)) {
        palette?.addItem({ command, args: { isPalette: true }, category: 'Pilothouse' });
      }
    }
    for (const item of CONTEXT_MENU) app.contextMenu.addItem({ ...item, rank: 0 });
  },
};

const LIVE = '[data-ph-final=false]';
/** Started by Pilothouse, so that it can be started again. */
const LAUNCHED = `${LIVE}[data-ph-origin=launched]`;
const OVER = '[data-ph-final=true]';
const row = (kind: string, more = ''): string => `[data-ph-kind=${kind}]${more}`;

const CONTEXT_MENU = [
  { command: CommandIDs.openPilot, selector: row('pilot') },
  { command: CommandIDs.openService, selector: row('service') },
  { command: CommandIDs.openTask, selector: row('task') },
  { command: CommandIDs.openTasks, selector: row('set') },
  { command: CommandIDs.openBatch, selector: row('batch') },
  { command: CommandIDs.openTaskLog, selector: row('task') },
  { command: CommandIDs.insert, selector: '[data-ph-kind]' },
  { command: CommandIDs.explain, selector: '[data-ph-kind]' },
  { command: CommandIDs.copyId, selector: '[data-ph-kind]' },
  { command: CommandIDs.drainPilot, selector: row('pilot', LIVE) },
  { command: CommandIDs.extendPilot, selector: row('pilot', LIVE) },
  { command: CommandIDs.endPilot, selector: row('pilot', LIVE) },
  { command: CommandIDs.probeService, selector: row('service', LIVE) },
  { command: CommandIDs.scaleService, selector: row('service', LAUNCHED) },
  { command: CommandIDs.restartService, selector: row('service', LAUNCHED) },
  { command: CommandIDs.drainService, selector: row('service', LIVE) },
  { command: CommandIDs.stopService, selector: row('service', LIVE) },
  { command: CommandIDs.cancelTask, selector: row('task', LIVE) },
  { command: CommandIDs.cancelSet, selector: row('set', LIVE) },
  { command: CommandIDs.cancelBatch, selector: row('batch', LIVE) },
  { command: CommandIDs.retryTask, selector: row('task', OVER) },
  { command: CommandIDs.retryFailed, selector: row('set', OVER) },
  { command: CommandIDs.hide, selector: `.ph-Row${OVER}` },
];
