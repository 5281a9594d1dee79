import { Notification } from '@jupyterlab/apputils';
import type { Service } from '@pilothouse/sdk';
import { formatSeconds } from '@pilothouse/sdk/internal';
import { isFinal } from '../format/state.js';
import { endsWithRestart, endsWithService } from '../format/summary.js';
import { secondsUntil } from '../format/time.js';
import { CommandIDs } from '../tokens.js';
import type { ActionContext, Args } from './context.js';

/** Does something with the service that a command is about. */
async function withService(
  context: ActionContext,
  args: Args,
  act: (service: Service) => Promise<void>,
): Promise<void> {
  const id = await context.argument('service', args);
  if (id === null) return;
  const service = await context.pilothouse.session.services.get(id);
  try {
    await act(service);
  } finally {
    service.close();
  }
}

/** Number of the one instance that a command is about; undefined: all of them. */
function instanceOf(args: Args): number | undefined {
  return typeof args.instance === 'number' ? args.instance : undefined;
}

export function stopService(context: ActionContext, args: Args): Promise<void> {
  const { session, trans } = context.pilothouse;
  return withService(context, args, async (service) => {
    const sure = await context.confirm(
      trans.__('Stop service %1?', service.name),
      endsWithService(service.record, session.picture, trans),
      trans.__('Stop service'),
    );
    if (!sure) return;
    await service.stop();
    sayWhatStillRuns(context, service.record.pilot, service.id);
  });
}

export function scaleService(context: ActionContext, args: Args): Promise<void> {
  return withService(context, args, async (service) => {
    const { scaleDialog } = await import('../dialogs/scale-service.js');
    await scaleDialog(context.pilothouse, service);
  });
}

export function drainService(context: ActionContext, args: Args): Promise<void> {
  const { trans } = context.pilothouse;
  const instance = instanceOf(args);
  return withService(context, args, async (service) => {
    const { outstanding } = service.record.load;
    const sure = await context.confirm(
      instance === undefined
        ? trans.__('Drain service %1?', service.name)
        : trans.__('Drain instance %1 of %2?', instance, service.name),
      [
        instance === undefined
          ? trans.__('It takes no new requests, and stops when what it has is answered.')
          : trans.__('It takes no new requests, and stops when what it has is answered; the others go on.'),
        ...(instance === undefined && outstanding > 0
          ? [trans._n('%1 answer is under way.', '%1 answers are under way.', outstanding)]
          : []),
      ].join(' '),
      trans.__('Drain'),
    );
    if (sure) await service.drain(instance === undefined ? {} : { instance });
  });
}

export function restartService(context: ActionContext, args: Args): Promise<void> {
  const { trans } = context.pilothouse;
  const instance = instanceOf(args);
  return withService(context, args, async (service) => {
    const sure = await context.confirm(
      instance === undefined
        ? trans.__('Restart service %1?', service.name)
        : trans.__('Restart instance %1 of %2?', instance, service.name),
      endsWithRestart(service.record, instance, trans),
      trans.__('Restart'),
    );
    if (sure) await service.restart(instance === undefined ? {} : { instance });
  });
}

export function probeService(context: ActionContext, args: Args): Promise<void> {
  return withService(context, args, (service) => service.probe());
}

/** A pilot left with nothing on it goes on until its end: nobody should have to find that out. */
function sayWhatStillRuns({ pilothouse }: ActionContext, pilotId: string | null, stopped: string): void {
  const { commands, session, trans } = pilothouse;
  const { pilots, services, tasks, sets, batches } = session.picture;
  const pilot = pilots.find(({ id, state }) => id === pilotId && state === 'ACTIVE');
  if (pilot === undefined || pilot.endsAt === null) return;
  const busy =
    services.some((one) => one.pilot === pilot.id && one.id !== stopped && !isFinal('service', one.state)) ||
    tasks.some((one) => one.pilot === pilot.id && !isFinal('task', one.state)) ||
    sets.some((one) => !isFinal('set', one.state)) ||
    batches.some((one) => one.pilot === pilot.id && !isFinal('batch', one.state));
  if (busy) return;
  const left = formatSeconds(secondsUntil(pilot.endsAt, Date.now()));
  Notification.info(trans.__('Pilot %1 still runs, with nothing on it; it ends in %2.', pilot.name, left), {
    autoClose: 15_000,
    actions: [
      { label: trans.__('End it'), callback: () => void commands.execute(CommandIDs.endPilot, { id: pilot.id }) },
    ],
  });
}
