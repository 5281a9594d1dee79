import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { Picture } from '@pilothouse/sdk';
import type { BatchRecord, TaskSetRecord } from '@pilothouse/sdk/internal';
import { debounceTime, filter, take } from 'rxjs';
import { batchOutcome } from '../format/batch.js';
import { THINGS } from '../things.js';
import { CommandIDs, IPilothouse } from '../tokens.js';
import { awaySummary, changesOf, endingSoon, setOutcome, statesOf } from './changes.js';

const SEEN = 'last-seen';
/** How often the clock is looked at while a pilot is live. */
const CLOCK_MS = 20_000;

/** Tells what happened: a pilot is active, one is about to end, a service failed, and what happened meanwhile. */
export const notificationsPlugin: JupyterFrontEndPlugin<void> = {
  id: '@pilothouse/jupyterlab:notifications',
  description: 'Notifications of what happened.',
  autoStart: true,
  requires: [IPilothouse],
  activate(_app: JupyterFrontEnd, pilothouse: IPilothouse): void {
    const { link, memory, preferences, session, trans } = pilothouse;
    const warned = new Set<string>();
    let before: ReadonlyMap<string, string> | null = null;

    const open = (kind: 'pilot' | 'service' | 'batch', id: string) => ({
      label: trans.__('Open'),
      callback: () => void pilothouse.commands.execute(THINGS[kind].open, { id }),
    });

    const onClock = (picture: Picture): void => {
      if (!preferences.value.notifyEndingSoon) return;
      for (const pilot of endingSoon(picture, Date.now())) {
        if (warned.has(pilot.id)) continue;
        warned.add(pilot.id);
        Notification.warning(trans.__('Pilot %1 ends in 10 minutes or less, with what runs on it.', pilot.name), {
          autoClose: false,
          actions: [open('pilot', pilot.id)],
        });
      }
    };

    const onSet = (set: TaskSetRecord): void => {
      const { commands } = pilothouse;
      const show = {
        label: trans.__('Open'),
        callback: () => void commands.execute(CommandIDs.openTasks, { set: set.id }),
      };
      const again = {
        label: trans.__('Retry what failed'),
        callback: () => void commands.execute(CommandIDs.retryFailed, { id: set.id }),
      };
      const text = setOutcome(set, trans);
      if (set.state === 'FAILED') Notification.error(text, { autoClose: false, actions: [show, again] });
      else if (set.state === 'DONE') Notification.success(text, { autoClose: 5000, actions: [show] });
    };

    const onBatch = (batch: BatchRecord): void => {
      const text = batchOutcome(batch, trans);
      const actions = [open('batch', batch.id)];
      if (batch.state === 'FAILED') Notification.error(text, { autoClose: false, actions });
      else if (batch.state === 'DONE' && batch.progress.failed > 0) {
        Notification.warning(text, { autoClose: false, actions });
      } else if (batch.state === 'DONE') Notification.success(text, { autoClose: 5000, actions });
    };

    const onPicture = (picture: Picture): void => {
      if (before !== null) {
        for (const change of changesOf(before, picture)) {
          if (change.kind === 'pilot-active' && preferences.value.notifyPilotActive) {
            Notification.success(trans.__('Pilot %1 is ACTIVE.', change.name), {
              autoClose: 5000,
              actions: [open('pilot', change.id)],
            });
          } else if (change.kind === 'set-ended' && preferences.value.notifySetEnded) {
            onSet(change.set);
          } else if (change.kind === 'batch-ended' && preferences.value.notifySetEnded) {
            onBatch(change.batch);
          } else if (change.kind === 'service-failed' && preferences.value.notifyServiceFailed) {
            Notification.error(trans.__('Service %1 failed. %2', change.name, change.text), {
              autoClose: false,
              actions: [open('service', change.id)],
            });
          }
        }
      }
      before = statesOf(picture);
      onClock(picture);
    };

    const connected = link.value$.pipe(
      filter(({ state }) => state === 'connected'),
      take(1),
    );
    connected.subscribe(() => {
      // The first picture after connecting is where watching begins; what changed before it is the summary's.
      session.picture$.pipe(take(1)).subscribe((first) => {
        void memory.read(SEEN).then((seen) => {
          const text = preferences.value.whileYouWereAway ? awaySummary(seen, first, trans) : null;
          if (text !== null) {
            Notification.info(`${trans.__('While you were away:')} ${text}`, {
              autoClose: false,
              actions: [{ label: trans.__('Open'), callback: () => void pilothouse.commands.execute(CommandIDs.open) }],
            });
          }
          session.picture$.subscribe(onPicture);
          session.picture$
            .pipe(debounceTime(1000))
            .subscribe((picture) => memory.write(SEEN, Object.fromEntries(statesOf(picture))));
        });
      });
    });
    setInterval(() => onClock(session.picture), CLOCK_MS);
  },
};
