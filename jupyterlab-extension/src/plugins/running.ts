import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { IRunningSessionManagers, type IRunningSessions } from '@jupyterlab/running';
import { stopIcon } from '@jupyterlab/ui-components';
import { Signal } from '@lumino/signaling';
import { distinctUntilChanged, map } from 'rxjs';
import { problemLine, problemOf } from '../format/problem.js';
import { isFinal, stateWord } from '../format/state.js';
import { helmIcon } from '../icons.js';
import { CommandIDs, IPilothouse } from '../tokens.js';

/** Sections in JupyterLab's list of everything that runs. */
export const runningPlugin: JupyterFrontEndPlugin<void> = {
  id: '@pilothouse/jupyterlab:running',
  description: 'Pilots and services among what runs.',
  autoStart: true,
  requires: [IPilothouse],
  optional: [IRunningSessionManagers],
  activate(_app: JupyterFrontEnd, pilothouse: IPilothouse, running: IRunningSessionManagers | null): void {
    running?.add(section(pilothouse, 'pilot'));
    running?.add(section(pilothouse, 'service'));
  },
};

function section(pilothouse: IPilothouse, kind: 'pilot' | 'service'): IRunningSessions.IManager {
  const { commands, session, trans } = pilothouse;
  const isPilot = kind === 'pilot';
  const live = (): { id: string; name: string; state: string }[] => {
    const all = isPilot ? session.picture.pilots : session.picture.services;
    return all.filter((one) => !isFinal(kind, one.state));
  };
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

  const endOne = async (id: string): Promise<void> => {
    if (isPilot) {
      const pilot = await session.pilots.get(id);
      await pilot.end();
      pilot.close();
    } else {
      const service = await session.services.get(id);
      await service.stop();
      service.close();
    }
  };
  return {
    name: isPilot ? trans.__('Pilots') : trans.__('Services'),
    running: () =>
      live().map(({ id, name, state }) => ({
        icon: () => helmIcon,
        label: () => name,
        labelTitle: () => `${name}: ${stateWord(state)}`,
        detail: () => stateWord(state),
        open: () => void commands.execute(isPilot ? CommandIDs.openPilot : CommandIDs.openService, { id }),
        shutdown: () => void commands.execute(isPilot ? CommandIDs.endPilot : CommandIDs.stopService, { id }),
      })),
    // JupyterLab has asked before it calls this.
    shutdownAll: () => {
      void Promise.allSettled(live().map(({ id }) => endOne(id))).then((results) => {
        for (const result of results) {
          if (result.status === 'rejected') Notification.error(problemLine(problemOf(result.reason)));
        }
      });
    },
    refreshRunning: () => changed.emit(),
    runningChanged: changed,
    shutdownItemIcon: stopIcon,
    shutdownLabel: isPilot ? trans.__('End pilot') : trans.__('Stop service'),
    shutdownAllLabel: isPilot ? trans.__('End all') : trans.__('Stop all'),
    shutdownAllConfirmationText: () =>
      isPilot
        ? trans.__('End all pilots, with every service and task on them?')
        : trans.__('Stop all services? Answers in progress end with them.'),
  };
}
