import { Notification } from '@jupyterlab/apputils';
import { formatSeconds } from '@pilothouse/sdk/internal';
import { isFinal } from '../format/state.js';
import { endsWithService } from '../format/summary.js';
import { secondsUntil } from '../format/time.js';
import { CommandIDs } from '../tokens.js';
import type { ActionContext, Args } from './context.js';

export async function stopService(context: ActionContext, args: Args): Promise<void> {
  const { session, trans } = context.pilothouse;
  const id = await context.argument('service', args);
  if (id === null) return;
  const service = await session.services.get(id);
  try {
    const sure = await context.confirm(
      trans.__('Stop service %1?', service.name),
      endsWithService(service.record, trans),
      trans.__('Stop service'),
    );
    if (!sure) return;
    await service.stop();
    sayWhatStillRuns(context, service.record.pilot, service.id);
  } finally {
    service.close();
  }
}

/** A pilot left with nothing on it goes on until its end: nobody should have to find that out. */
function sayWhatStillRuns({ pilothouse }: ActionContext, pilotId: string | null, stopped: string): void {
  const { commands, session, trans } = pilothouse;
  const { pilots, services, tasks, sets } = session.picture;
  const pilot = pilots.find(({ id, state }) => id === pilotId && state === 'ACTIVE');
  if (pilot === undefined || pilot.endsAt === null) return;
  const busy =
    services.some((one) => one.pilot === pilot.id && one.id !== stopped && !isFinal('service', one.state)) ||
    tasks.some((one) => one.pilot === pilot.id && !isFinal('task', one.state)) ||
    sets.some((one) => !isFinal('set', one.state));
  if (busy) return;
  const left = formatSeconds(secondsUntil(pilot.endsAt, Date.now()));
  Notification.info(trans.__('Pilot %1 still runs, with nothing on it; it ends in %2.', pilot.name, left), {
    autoClose: 15_000,
    actions: [
      { label: trans.__('End it'), callback: () => void commands.execute(CommandIDs.endPilot, { id: pilot.id }) },
    ],
  });
}
