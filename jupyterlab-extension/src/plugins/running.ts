import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { IRunningSessionManagers, type IRunningSessions } from '@jupyterlab/running';
import type { TranslationBundle } from '@jupyterlab/translation';
import { stopIcon } from '@jupyterlab/ui-components';
import { Signal } from '@lumino/signaling';
import type { Session } from '@pilothouse/sdk';
import { distinctUntilChanged, map } from 'rxjs';
import { problemLine, problemOf } from '../format/problem.js';
import { stateWord } from '../format/state.js';
import { helmIcon } from '../icons.js';
import { liveThings, THINGS } from '../things.js';
import { IPilothouse } from '../tokens.js';

/** Kinds of things with a section of their own. */
type Kind = 'pilot' | 'service' | 'set' | 'batch';

/** Sections in JupyterLab's list of everything that runs. */
export const runningPlugin: JupyterFrontEndPlugin<void> = {
  id: '@pilothouse/jupyterlab:running',
  description: 'Pilots, services, task sets and batches among what runs.',
  autoStart: true,
  requires: [IPilothouse],
  optional: [IRunningSessionManagers],
  activate(_app: JupyterFrontEnd, pilothouse: IPilothouse, running: IRunningSessionManagers | null): void {
    for (const kind of ['pilot', 'service', 'set', 'batch'] as const) running?.add(section(pilothouse, kind));
  },
};

function section(pilothouse: IPilothouse, kind: Kind): IRunningSessions.IManager {
  const { commands, session, trans } = pilothouse;
  const live = () => liveThings(session.picture, kind);
  const changed = new Signal<object, void>(session);
  session.picture$
    .pipe(
      map(() =>
        live()
          .map(({ id, name, state }) => `${id} ${name} ${state}`)
          .join('\n'),
      ),
      distinctUntilChanged(),
    )
    .subscribe(() => changed.emit());

  const { open, openArgs, end } = THINGS[kind];
  return {
    ...words(kind, trans),
    running: () =>
      live().map(({ id, name, state }) => ({
        icon: () => helmIcon,
        label: () => name,
        labelTitle: () => `${name}: ${stateWord(state)}`,
        detail: () => stateWord(state),
        open: () => void commands.execute(open, openArgs(id)),
        shutdown: () => void commands.execute(end, { id }),
      })),
    // JupyterLab has asked before it calls this.
    shutdownAll: () => {
      void Promise.allSettled(live().map(({ id }) => endOne(session, kind, id))).then((results) => {
        for (const result of results) {
          if (result.status === 'rejected') Notification.error(problemLine(problemOf(result.reason)));
        }
      });
    },
    refreshRunning: () => changed.emit(),
    runningChanged: changed,
    shutdownItemIcon: stopIcon,
  };
}

async function endOne(session: Session, kind: Kind, id: string): Promise<void> {
  if (kind === 'pilot') {
    const pilot = await session.pilots.get(id);
    await pilot.end();
    pilot.close();
  } else if (kind === 'service') {
    const service = await session.services.get(id);
    await service.stop();
    service.close();
  } else if (kind === 'batch') {
    const batch = await session.batches.get(id);
    await batch.cancel();
    batch.close();
  } else {
    const set = await session.tasks.set(id);
    await set.cancel();
    set.close();
  }
}

/** What a section is called, and its buttons. */
function words(
  kind: Kind,
  trans: TranslationBundle,
): {
  readonly name: string;
  readonly shutdownLabel: string;
  readonly shutdownAllLabel: string;
  readonly shutdownAllConfirmationText: () => string;
} {
  switch (kind) {
    case 'pilot':
      return {
        name: trans.__('Pilots'),
        shutdownLabel: trans.__('End pilot'),
        shutdownAllLabel: trans.__('End all'),
        shutdownAllConfirmationText: () => trans.__('End all pilots, with every service and task on them?'),
      };
    case 'service':
      return {
        name: trans.__('Services'),
        shutdownLabel: trans.__('Stop service'),
        shutdownAllLabel: trans.__('Stop all'),
        shutdownAllConfirmationText: () => trans.__('Stop all services? Answers in progress end with them.'),
      };
    case 'set':
      return {
        name: trans.__('Task sets'),
        shutdownLabel: trans.__('Cancel task set'),
        shutdownAllLabel: trans.__('Cancel all'),
        shutdownAllConfirmationText: () => trans.__('Cancel all task sets? What is done stays done.'),
      };
    case 'batch':
      return {
        name: trans.__('Batches'),
        shutdownLabel: trans.__('Cancel batch'),
        shutdownAllLabel: trans.__('Cancel all'),
        shutdownAllConfirmationText: () => trans.__('Cancel all batches? Rows that are answered stay.'),
      };
  }
}
