import type { Session } from '@pilothouse/sdk/node';
import type { Command } from '../command.js';
import { pilotTable, setTable, taskTable } from '../rows.js';
import { withSession } from '../session.js';

const options = { all: { type: 'boolean', short: 'a' } } as const;

/** A command that lists one kind of thing. */
function list<R>(
  name: string,
  what: string,
  read: (session: Session, all: boolean) => Promise<readonly { readonly record: R }[]>,
  show: (records: readonly R[]) => string,
): Command {
  return {
    name,
    usage: `${name} [--all]`,
    summary: `${what}; with --all also those that have ended`,
    options,
    words: [0, 0],
    async run({ result }, { values }) {
      const handles = await withSession((session) => read(session, values.all === true));
      const records = handles.map(({ record }) => record);
      result(records, () => show(records));
      return undefined;
    },
  };
}

export const pilots = list('pilots', 'Your pilots', (session, all) => session.pilots.list({ all }), pilotTable);
export const tasks = list(
  'tasks',
  'Your tasks that belong to no set',
  (session, all) => session.tasks.list({ all }),
  taskTable,
);
export const sets = list('sets', 'Your task sets', (session, all) => session.tasks.sets({ all }), setTable);
