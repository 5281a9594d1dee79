import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Clipboard, Dialog, ICommandPalette, Notification, showDialog } from '@jupyterlab/apputils';
import type { ReadonlyJSONObject, ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { formatSeconds, sentence } from '@pilothouse/sdk/internal';
import { problemLine, problemOf } from '../format/problem.js';
import { type Subject, snippet } from '../format/snippets.js';
import { isFinal } from '../format/state.js';
import { endsWithPilot, endsWithService } from '../format/summary.js';
import { secondsUntil } from '../format/time.js';
import { UNDO_MS } from '../session/hidden.js';
import { CommandIDs, IPilothouse } from '../tokens.js';
import { argument, rowUnderMenu } from './arguments.js';
import { tryDemo } from './demo.js';

/** Every action of Pilothouse as a command: for palette, menus, rows and keys alike. */
export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: '@pilothouse/jupyterlab:commands',
  description: 'All actions of Pilothouse as commands.',
  autoStart: true,
  requires: [IPilothouse],
  optional: [ICommandPalette],
  activate(app: JupyterFrontEnd, pilothouse: IPilothouse, palette: ICommandPalette | null): void {
    const actions = new Actions(app, pilothouse);
    const { trans } = pilothouse;
    const add = (
      id: string,
      label: string,
      action: (args: ReadonlyPartialJSONObject) => Promise<void> | void,
      online = true,
    ): void => {
      app.commands.addCommand(id, {
        label,
        isEnabled: () => !online || pilothouse.link.value.state === 'connected',
        execute: (args) => actions.attempt(async () => action(args)),
      });
    };
    add(CommandIDs.newPilot, trans.__('New pilot…'), async () => {
      const { newPilot } = await import('../dialogs/new-pilot.js');
      await newPilot(pilothouse);
    });
    add(CommandIDs.startService, trans.__('Start service…'), async () => {
      const { startService } = await import('../dialogs/start-service.js');
      await startService(pilothouse);
    });
    add(CommandIDs.attachService, trans.__('Attach service…'), async () => {
      const { attachService } = await import('../dialogs/attach-service.js');
      await attachService(pilothouse);
    });
    add(CommandIDs.tryDemo, trans.__('Try the demo'), () => tryDemo(pilothouse));
    add(CommandIDs.endPilot, trans.__('End pilot…'), (args) => actions.endPilot(args));
    add(CommandIDs.stopService, trans.__('Stop service…'), (args) => actions.stopService(args));
    add(CommandIDs.explain, trans.__('Explain the state'), (args) => actions.explain(args));
    add(CommandIDs.insert, trans.__('Insert into notebook'), (args) => actions.insert(args), false);
    add(CommandIDs.copyId, trans.__('Copy the id'), (args) => actions.copyId(args), false);
    add(CommandIDs.hide, trans.__('Hide from the list'), (args) => actions.hide(args));
    add(CommandIDs.reconnect, trans.__('Connect again'), () => pilothouse.link.retry(), false);
    add(CommandIDs.copyDiagnosis, trans.__('Copy diagnosis'), () => actions.copyDiagnosis(), false);
    pilothouse.link.value$.subscribe(() => app.commands.notifyCommandChanged());

    for (const [command, args] of PALETTE) palette?.addItem({ command, args, category: 'Pilothouse' });
    for (const item of CONTEXT_MENU) app.contextMenu.addItem({ ...item, rank: 0 });
  },
};

const PALETTE: readonly [string, ReadonlyJSONObject][] = [
  ...Object.values(CommandIDs)
    .filter((command) => command !== CommandIDs.hide && command !== CommandIDs.copyId)
    .map((command): [string, ReadonlyJSONObject] => [command, {}]),
];

const LIVE = '[data-ph-final=false]';
const CONTEXT_MENU = [
  { command: CommandIDs.openPilot, selector: '.ph-Row[data-ph-kind=pilot]' },
  { command: CommandIDs.openService, selector: '.ph-Row[data-ph-kind=service]' },
  { command: CommandIDs.insert, selector: '.ph-Row' },
  { command: CommandIDs.explain, selector: '.ph-Row' },
  { command: CommandIDs.copyId, selector: '.ph-Row' },
  { command: CommandIDs.endPilot, selector: `.ph-Row[data-ph-kind=pilot]${LIVE}` },
  { command: CommandIDs.stopService, selector: `.ph-Row[data-ph-kind=service]${LIVE}` },
  { command: CommandIDs.hide, selector: '.ph-Row[data-ph-final=true]' },
];

/** What the commands do. */
class Actions {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly pilothouse: IPilothouse,
  ) {}

  /** Runs an action; a failure becomes a notification that leads with the remedy. */
  async attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      console.error('A Pilothouse action failed.', error);
      Notification.error(problemLine(problemOf(error)), { autoClose: 10_000 });
    }
  }

  async endPilot(args: ReadonlyPartialJSONObject): Promise<void> {
    const { session, trans } = this.pilothouse;
    const id = await argument(this.app, this.pilothouse, 'pilot', args);
    if (id === null) return;
    const pilot = await session.pilots.get(id);
    try {
      const sure = await this.confirm(
        trans.__('End pilot %1?', pilot.name),
        endsWithPilot(pilot.record, session.picture, trans),
        trans.__('End pilot'),
      );
      if (sure) await pilot.end();
    } finally {
      pilot.close();
    }
  }

  async stopService(args: ReadonlyPartialJSONObject): Promise<void> {
    const { session, trans } = this.pilothouse;
    const id = await argument(this.app, this.pilothouse, 'service', args);
    if (id === null) return;
    const service = await session.services.get(id);
    try {
      const sure = await this.confirm(
        trans.__('Stop service %1?', service.name),
        endsWithService(service.record, trans),
        trans.__('Stop service'),
      );
      if (!sure) return;
      await service.stop();
      this.sayWhatStillRuns(service.record.pilot, service.id);
    } finally {
      service.close();
    }
  }

  /** A pilot left with nothing on it goes on until its end: nobody should have to find that out. */
  private sayWhatStillRuns(pilotId: string | null, stopped: string): void {
    const { session, trans } = this.pilothouse;
    const { pilots, services, tasks } = session.picture;
    const pilot = pilots.find(({ id, state }) => id === pilotId && state === 'ACTIVE');
    if (pilot === undefined || pilot.endsAt === null) return;
    const busy =
      services.some((one) => one.pilot === pilot.id && one.id !== stopped && !isFinal('service', one.state)) ||
      tasks.some((one) => one.pilot === pilot.id && !isFinal('task', one.state));
    if (busy) return;
    const left = formatSeconds(secondsUntil(pilot.endsAt, Date.now()));
    Notification.info(trans.__('Pilot %1 still runs, with nothing on it; it ends in %2.', pilot.name, left), {
      autoClose: 15_000,
      actions: [
        { label: trans.__('End it'), callback: () => void this.attempt(() => this.endPilot({ id: pilot.id })) },
      ],
    });
  }

  async explain(args: ReadonlyPartialJSONObject): Promise<void> {
    const { session, trans } = this.pilothouse;
    const target = await this.target(args);
    if (target === null) return;
    const handle =
      target.kind === 'pilot' ? await session.pilots.get(target.id) : await session.services.get(target.id);
    try {
      const text = await handle.explain();
      await showDialog({
        title: trans.__('%1 is %2', handle.name, handle.state),
        body: sentence(text),
        buttons: [Dialog.okButton({ label: trans.__('Close') })],
      });
    } finally {
      handle.close();
    }
  }

  async insert(args: ReadonlyPartialJSONObject): Promise<void> {
    const { notebook, trans } = this.pilothouse;
    const subject = args.kind === 'task' ? ({ kind: 'task' } satisfies Subject) : await this.subject(args);
    if (subject === null) return;
    const { language, kernelName } = notebook;
    if (language === null) {
      Notification.warning(
        kernelName === null
          ? trans.__('Open a notebook first; the code goes below its active cell.')
          : trans.__('There is no code for the kernel "%1". Use a Python, tslab or Deno notebook.', kernelName),
        { autoClose: 8000 },
      );
      return;
    }
    notebook.insert(snippet(subject, language));
  }

  async copyId(args: ReadonlyPartialJSONObject): Promise<void> {
    const target = await this.target(args);
    if (target === null) return;
    Clipboard.copyToSystem(target.id);
    Notification.success(this.pilothouse.trans.__('Copied %1', target.id), { autoClose: 2000 });
  }

  async hide(args: ReadonlyPartialJSONObject): Promise<void> {
    const { hidden, trans } = this.pilothouse;
    const target = await this.target(args);
    if (target === null) return;
    hidden.hide(target);
    Notification.info(trans.__('Taken off the list.'), {
      autoClose: UNDO_MS,
      actions: [{ label: trans.__('Undo'), callback: () => hidden.undo(target.id) }],
    });
  }

  async copyDiagnosis(): Promise<void> {
    const { link, trans } = this.pilothouse;
    Clipboard.copyToSystem(await link.diagnosis());
    Notification.success(trans.__('The diagnosis is on the clipboard.'), { autoClose: 4000 });
  }

  private async confirm(title: string, body: string, accept: string): Promise<boolean> {
    const result = await showDialog({
      title,
      body,
      buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: accept })],
      defaultButton: 0,
    });
    return result.button.accept;
  }

  private async target(args: ReadonlyPartialJSONObject): Promise<{ kind: 'pilot' | 'service'; id: string } | null> {
    if (typeof args.id === 'string' && (args.kind === 'pilot' || args.kind === 'service')) {
      return { kind: args.kind, id: args.id };
    }
    const row = rowUnderMenu(this.app);
    if (row !== null) return row;
    // From the palette: services are what people mean most, then pilots.
    const { session } = this.pilothouse;
    const kind = session.picture.services.length > 0 ? 'service' : 'pilot';
    const id = await argument(this.app, this.pilothouse, kind, {});
    return id === null ? null : { kind, id };
  }

  private async subject(args: ReadonlyPartialJSONObject): Promise<Subject | null> {
    const { session } = this.pilothouse;
    const target = await this.target(args);
    if (target === null) return null;
    const records = target.kind === 'pilot' ? session.picture.pilots : session.picture.services;
    const name = records.find((record) => record.id === target.id)?.name ?? target.id;
    if (target.kind === 'pilot') return { kind: 'pilot', name };
    return { kind: 'service', name, ...(typeof args.prompt === 'string' ? { prompt: args.prompt } : {}) };
  }
}
