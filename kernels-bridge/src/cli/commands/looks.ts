import { setTimeout as delay } from 'node:timers/promises';
import { type LogChunk, PilothouseError } from '@pilothouse/sdk/internal';
import type { Pilot, Service, Session, Task, TaskSet } from '@pilothouse/sdk/node';
import { type Command, EXIT } from '../command.js';
import { withSession } from '../session.js';

/** Milliseconds between two looks at a log that is followed. */
const FOLLOW_MS = 500;

export const explain: Command = {
  name: 'explain',
  usage: 'explain <id or name>',
  summary: 'Why something is not further than it is',
  words: [1, 1],
  run: ({ result }, { positionals: [ref = ''] }) =>
    withSession(async (session) => {
      const thing = await find(session, ref);
      const text = await thing.explain();
      const { id, name, state } = thing;
      result({ id, name, state, text }, () => `${thing.kind} ${name} is ${state}: ${text}`);
      return EXIT.ok;
    }),
};

export const logs: Command = {
  name: 'logs',
  usage: 'logs <task or service> [--stderr] [--follow] [--instance N]',
  summary: 'Output of a task or of an instance of a service',
  options: {
    stderr: { type: 'boolean', short: 'e' },
    follow: { type: 'boolean', short: 'f' },
    instance: { type: 'string', short: 'i' },
  },
  words: [1, 1],
  run: ({ note, json, print }, { positionals: [ref = ''], values }) =>
    withSession(async (session) => {
      const thing = await find(session, ref);
      if (thing.kind === 'pilot') {
        note('A pilot has no output of its own; name a task or a service.');
        return EXIT.usage;
      }
      if (thing.kind === 'set') {
        note(`A task set has no output of its own; name one of its tasks, such as ${thing.id}.0.`);
        return EXIT.usage;
      }
      const stream = values.stderr === true ? 'stderr' : 'stdout';
      const instance = values.instance === undefined ? undefined : Number(values.instance);
      const read = (offset: number): Promise<LogChunk> =>
        thing.kind === 'task' ? thing.log({ stream, offset }) : thing.log({ stream, offset, instance });
      for (let offset = 0; ; ) {
        const chunk = await read(offset);
        if (json) print(JSON.stringify(chunk));
        else process.stdout.write(chunk.text);
        const more = chunk.next < chunk.size;
        const ends = chunk.complete || (!more && values.follow !== true);
        // Many servers write to stderr alone: no answer at all would look like a log that is lost.
        if (ends && chunk.size === 0 && !json) note(nothingWritten(stream, chunk.complete));
        if (ends) return EXIT.ok;
        if (!more) await delay(FOLLOW_MS);
        offset = chunk.next;
      }
    }),
};

function nothingWritten(stream: 'stdout' | 'stderr', complete: boolean): string {
  const said = `Nothing was written to ${stream}${complete ? '' : ' so far'}`;
  return stream === 'stdout' ? `${said}; "--stderr" shows the other output.` : `${said}.`;
}

/** Finds the thing of whichever kind has this id or name: pilots first, then services, tasks, and task sets. */
async function find(session: Session, ref: string): Promise<Pilot | Service | Task | TaskSet> {
  const lookups = [session.pilots, session.services, session.tasks, { get: (set: string) => session.tasks.set(set) }];
  for (const things of lookups) {
    try {
      return await things.get(ref);
    } catch (error) {
      if (!(error instanceof PilothouseError && error.code.endsWith('_NOT_FOUND'))) throw error;
    }
  }
  throw new PilothouseError('TASK_NOT_FOUND', `there is no pilot, service, task or task set "${ref}"`, {
    hint: 'See what there is with "pilothouse status".',
    field: 'ref',
  });
}
