import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { problemLine, problemOf } from '../format/problem.js';
import { argument, rowUnderMenu } from '../plugins/arguments.js';
import { isThingKind, type ThingKind } from '../things.js';
import type { IPilothouse } from '../tokens.js';

/** Arguments of a command. */
export type Args = ReadonlyPartialJSONObject;

/** What every action needs: what it is about, whether the user is sure, and how it says that it failed. */
export class ActionContext {
  constructor(
    readonly app: JupyterFrontEnd,
    readonly pilothouse: IPilothouse,
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

  /** Asks once, saying what will end. */
  async confirm(title: string, body: string, accept: string): Promise<boolean> {
    const result = await showDialog({
      title,
      body,
      buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: accept })],
      defaultButton: 0,
    });
    return result.button.accept;
  }

  /** Id of the thing of one kind that a command is about; null: none was picked. */
  argument(kind: ThingKind, args: Args): Promise<string | null> {
    return argument(this.app, this.pilothouse, kind, args);
  }

  /** The thing of any kind that a command is about; null: none was picked. */
  async target(args: Args): Promise<{ readonly kind: ThingKind; readonly id: string } | null> {
    if (typeof args.id === 'string' && isThingKind(args.kind)) return { kind: args.kind, id: args.id };
    const row = args.isPalette === true ? null : rowUnderMenu(this.app);
    if (row !== null) return row;
    // From the palette: services are what people mean most, then pilots.
    const { session } = this.pilothouse;
    const kind = session.picture.services.length > 0 ? 'service' : 'pilot';
    const id = await this.argument(kind, { isPalette: true });
    return id === null ? null : { kind, id };
  }
}
