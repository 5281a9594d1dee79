import { Notification } from '@jupyterlab/apputils';
import type { Task, TaskSet } from '@pilothouse/sdk';
import { endsWithSet } from '../format/set.js';
import { isFinal } from '../format/state.js';
import { CommandIDs } from '../tokens.js';
import type { ActionContext, Args } from './context.js';

/** Calls under way at the same time, where there is one for each task. */
const AT_ONCE = 16;
/** Pages that are opened at once. */
const PAGES = 5;
/** Tasks that are looked at to say what will end. */
const LOOKED_AT = 200;

/** Ids of the tasks that a command is about: those chosen, the one named, or the one that is picked. */
async function tasksOf(context: ActionContext, args: Args): Promise<readonly string[]> {
  if (Array.isArray(args.ids)) return args.ids.filter((id): id is string => typeof id === 'string');
  const id = await context.argument('task', args);
  return id === null ? [] : [id];
}

export async function cancelTasks(context: ActionContext, args: Args): Promise<void> {
  const { session, trans } = context.pilothouse;
  const ids = await tasksOf(context, args);
  if (ids.length === 0) return;
  const title =
    ids.length === 1 ? trans.__('Cancel the task?') : trans.__('Cancel %1 tasks?', ids.length.toLocaleString());
  const sure = await context.confirm(
    title,
    await whatEnds(context, ids),
    trans._n('Cancel task', 'Cancel tasks', ids.length),
  );
  if (!sure) return;
  const canceled = await session.tasks.cancelMany(ids);
  if (ids.length > 1) {
    Notification.info(trans._n('%1 task is canceled.', '%1 tasks are canceled.', canceled), { autoClose: 4000 });
  }
}

/** What a cancel ends, in words. */
async function whatEnds(context: ActionContext, ids: readonly string[]): Promise<string> {
  const { trans } = context.pilothouse;
  if (ids.length > LOOKED_AT) {
    return trans.__('Those that run end now, with every process they started. Those that have ended stay as they are.');
  }
  let running = 0;
  let waiting = 0;
  let over = 0;
  await eachTask(context, ids, async ({ record }) => {
    if (isFinal('task', record.state)) over += 1;
    else if (['RUNNING', 'STAGING_OUTPUT', 'LAUNCHING'].includes(record.state)) running += 1;
    else waiting += 1;
  });
  return [
    ...(running > 0
      ? [
          trans._n(
            '%1 runs and ends now, with every process it started.',
            '%1 run and end now, with every process they started.',
            running,
          ),
        ]
      : []),
    ...(waiting > 0 ? [trans._n('%1 never starts.', '%1 never start.', waiting)] : []),
    ...(over > 0 ? [trans._n('%1 has ended already and stays.', '%1 have ended already and stay.', over)] : []),
  ].join(' ');
}

export async function retryTasks(context: ActionContext, args: Args): Promise<void> {
  const { commands, trans } = context.pilothouse;
  const ids = await tasksOf(context, args);
  if (ids.length === 0) return;
  const again: string[] = [];
  let going = 0;
  await eachTask(context, ids, async (task) => {
    if (!isFinal('task', task.state)) {
      going += 1;
      return;
    }
    const next = await task.retry();
    again.push(next.id);
    next.close();
  });
  const [first] = again;
  const words = [
    ...(again.length > 0 ? [trans._n('%1 task runs again.', '%1 tasks run again.', again.length)] : []),
    ...(going > 0 ? [trans._n('%1 has not ended yet and goes on.', '%1 have not ended yet and go on.', going)] : []),
  ];
  Notification.info(words.join(' '), {
    autoClose: 5000,
    actions:
      first === undefined
        ? []
        : [{ label: trans.__('Open'), callback: () => void commands.execute(CommandIDs.openTask, { id: first }) }],
  });
}

export async function openTaskLogs(context: ActionContext, args: Args): Promise<void> {
  const { commands, trans } = context.pilothouse;
  const ids = await tasksOf(context, args);
  for (const id of ids.slice(0, PAGES)) await commands.execute(CommandIDs.openTask, { id, part: 'log' });
  if (ids.length > PAGES) {
    Notification.info(trans.__('The logs of the first %1 are open; %2 more are not.', PAGES, ids.length - PAGES), {
      autoClose: 5000,
    });
  }
}

async function withSet(context: ActionContext, args: Args, act: (set: TaskSet) => Promise<void>): Promise<void> {
  const id = await context.argument('set', args);
  if (id === null) return;
  const set = await context.pilothouse.session.tasks.set(id);
  try {
    await act(set);
  } finally {
    set.close();
  }
}

export function cancelSet(context: ActionContext, args: Args): Promise<void> {
  const { trans } = context.pilothouse;
  return withSet(context, args, async (set) => {
    const sure = await context.confirm(
      trans.__('Cancel task set %1?', set.name),
      endsWithSet(set.record, trans),
      trans.__('Cancel set'),
    );
    if (sure) await set.cancel();
  });
}

export function retryFailed(context: ActionContext, args: Args): Promise<void> {
  const { commands, trans } = context.pilothouse;
  return withSet(context, args, async (set) => {
    const { failed, canceled } = set.record.counts;
    const again = await set.retryFailed({ canceled: failed === 0 });
    const { id } = again;
    again.close();
    Notification.info(
      trans._n(
        '%1 task runs again, as a new set.',
        '%1 tasks run again, as a new set.',
        failed === 0 ? canceled : failed,
      ),
      {
        autoClose: 5000,
        actions: [
          { label: trans.__('Open'), callback: () => void commands.execute(CommandIDs.openTasks, { set: id }) },
        ],
      },
    );
  });
}

/** Does something with each task, a few at a time; the first failure ends it. */
async function eachTask(
  { pilothouse }: ActionContext,
  ids: readonly string[],
  act: (task: Task) => Promise<void>,
): Promise<void> {
  const waiting = [...ids];
  const lane = async (): Promise<void> => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      const task = await pilothouse.session.tasks.get(id);
      try {
        await act(task);
      } finally {
        task.close();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, ids.length) }, lane));
}
