import { InputDialog, Notification } from '@jupyterlab/apputils';
import type { Pilot } from '@pilothouse/sdk';
import { durationSchema, PilothouseError } from '@pilothouse/sdk/internal';
import { endsWithPilot } from '../format/summary.js';
import { clockTime } from '../format/time.js';
import type { ActionContext, Args } from './context.js';

/** Does something with the pilot that a command is about. */
async function withPilot(context: ActionContext, args: Args, act: (pilot: Pilot) => Promise<void>): Promise<void> {
  const id = await context.argument('pilot', args);
  if (id === null) return;
  const pilot = await context.pilothouse.session.pilots.get(id);
  try {
    await act(pilot);
  } finally {
    pilot.close();
  }
}

export function endPilot(context: ActionContext, args: Args): Promise<void> {
  const { session, trans } = context.pilothouse;
  return withPilot(context, args, async (pilot) => {
    const sure = await context.confirm(
      trans.__('End pilot %1?', pilot.name),
      endsWithPilot(pilot.record, session.picture, trans),
      trans.__('End pilot'),
    );
    if (sure) await pilot.end();
  });
}

export function drainPilot(context: ActionContext, args: Args): Promise<void> {
  const { trans } = context.pilothouse;
  return withPilot(context, args, async (pilot) => {
    const { running } = pilot.record.usage;
    const sure = await context.confirm(
      trans.__('Let pilot %1 finish?', pilot.name),
      [
        trans.__('It takes nothing new from now on, and ends when what is on it has ended.'),
        trans._n('%1 task runs on it.', '%1 tasks run on it.', running),
        trans.__('This cannot be taken back.'),
      ].join(' '),
      trans.__('Let it finish'),
    );
    if (sure) await pilot.drain();
  });
}

export function suspendPilot(context: ActionContext, args: Args): Promise<void> {
  const { commands, trans } = context.pilothouse;
  return withPilot(context, args, async (pilot) => {
    await pilot.suspend();
    const { id } = pilot;
    Notification.info(trans.__('Pilot %1 starts nothing new until it is resumed.', pilot.name), {
      autoClose: 5000,
      actions: [
        { label: trans.__('Resume'), callback: () => void commands.execute('pilothouse:resume-pilot', { id }) },
      ],
    });
  });
}

export function resumePilot(context: ActionContext, args: Args): Promise<void> {
  return withPilot(context, args, (pilot) => pilot.resume());
}

export function keepPilot(context: ActionContext, args: Args): Promise<void> {
  return withPilot(context, args, (pilot) => pilot.keep());
}

export function extendPilot(context: ActionContext, args: Args): Promise<void> {
  const { trans } = context.pilothouse;
  return withPilot(context, args, async (pilot) => {
    const asked =
      typeof args.by === 'string'
        ? args.by
        : (
            await InputDialog.getText({
              title: trans.__('How much longer does pilot %1 go on?', pilot.name),
              label: trans.__('For example 30m or 1h30m'),
              text: '30m',
              okLabel: trans.__('Extend'),
            })
          ).value;
    if (asked === null || asked.trim() === '') return;
    const by = durationSchema.safeParse(asked.trim());
    if (!by.success) {
      throw new PilothouseError('INVALID_DESCRIPTION', trans.__('"%1" is no time', asked), {
        hint: trans.__('Write a time such as 30m or 1h30m.'),
      });
    }
    await pilot.extend(by.data);
    const { endsAt } = pilot.record;
    if (endsAt !== null) {
      Notification.success(trans.__('Pilot %1 goes on until %2.', pilot.name, clockTime(endsAt)), { autoClose: 5000 });
    }
  });
}
