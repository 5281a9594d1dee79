import { PilothouseError } from '@pilothouse/sdk/internal';
import type { Session, Task, TaskSet } from '@pilothouse/sdk/node';
import { type CliContext, type Command, EXIT } from '../command.js';
import { pilotTable } from '../rows.js';
import { withSession } from '../session.js';

const options = { all: { type: 'boolean' }, yes: { type: 'boolean', short: 'y' } } as const;

/** Ends pilots, with everything on them. */
export const end: Command = {
  name: 'end',
  usage: 'end <pilot> | end --all [--yes]',
  summary: 'End a pilot with everything on it; --all lists them and asks first',
  options,
  words: [0, 1],
  run(context, { positionals: [ref], values }) {
    const all = values.all === true;
    if (all === (ref !== undefined)) {
      context.note('Name one pilot, or write --all.');
      return Promise.resolve(EXIT.usage);
    }
    return withSession((session) =>
      ref === undefined ? endAll(session, context, values.yes === true) : endOne(session, context, ref),
    );
  },
};

async function endOne(session: Session, context: CliContext, ref: string): Promise<number> {
  const pilot = await session.pilots.get(ref);
  await pilot.end();
  context.result(pilot.record, () => `${pilot.name} is ending, with everything on it.`);
  return EXIT.ok;
}

async function endAll(session: Session, context: CliContext, yes: boolean): Promise<number> {
  const pilots = await session.pilots.list();
  if (pilots.length === 0) {
    context.result([], () => 'There is no pilot to end.');
    return EXIT.ok;
  }
  context.note(pilotTable(pilots.map(({ record }) => record)));
  const [tasks, services] = await Promise.all([session.tasks.list(), session.services.list()]);
  const launched = services.filter(({ record }) => record.origin === 'launched');
  context.note(`They end with ${count(tasks.length, 'task')} and ${count(launched.length, 'service')} on them.`);
  if (!yes && !(await context.confirm(`End ${count(pilots.length, 'pilot')}?`))) {
    context.note('Nothing was ended. Answer y, or write --yes where nobody can be asked.');
    return EXIT.failed;
  }
  await Promise.all(pilots.map((pilot) => pilot.end()));
  // Told to end is not ended: whoever ends everything wants to know that nothing is left.
  const ended = await Promise.all(pilots.map((pilot) => pilot.done({ timeout: '60s' })));
  const report = pilots.map((pilot, index) => ({ id: pilot.id, name: pilot.name, state: ended[index]?.state }));
  context.result(report, () => report.map(({ name, state }) => `${name}: ${state}`).join('\n'));
  return EXIT.ok;
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}

/** The task, or else the set, of that id or name. */
async function taskOrSet(session: Session, ref: string): Promise<Task | TaskSet> {
  try {
    return await session.tasks.get(ref);
  } catch (error) {
    if (!(error instanceof PilothouseError && error.code === 'TASK_NOT_FOUND')) throw error;
    return session.tasks.set(ref);
  }
}

export const cancel: Command = {
  name: 'cancel',
  usage: 'cancel <task or set>',
  summary: 'Cancel a task, or all that has not ended of a task set',
  words: [1, 1],
  run: (context, { positionals: [ref = ''] }) =>
    withSession(async (session) => {
      const work = await taskOrSet(session, ref);
      await work.cancel();
      context.result(work.record, () => `${work.name} is being canceled.`);
      return EXIT.ok;
    }),
};

export const stop: Command = {
  name: 'stop',
  usage: 'stop <service>',
  summary: 'Stop a service; an attached one is only let go',
  words: [1, 1],
  run: (context, { positionals: [ref = ''] }) =>
    withSession(async (session) => {
      const service = await session.services.get(ref);
      await service.stop();
      context.result(service.record, () => `${service.name} is being stopped.`);
      return EXIT.ok;
    }),
};
