import type { PilotRecord } from '@pilothouse/sdk/internal';
import { useEffect, useMemo } from 'react';
import { EmptyState, LinkButton } from '../components/small.js';
import { useApp } from '../hooks/context.js';
import { cellContext } from '../tasks/names.js';
import { TablePane } from '../tasks/table-pane.js';
import { TaskTable } from '../tasks/task-table.js';
import { CommandIDs } from '../tokens.js';

/** The tasks of one pilot: what failed and what goes on first. */
export function PilotTasks({ pilot }: { readonly pilot: PilotRecord }): JSX.Element {
  const { commands, session, trans } = useApp();
  const { id, name } = pilot;
  const table = useMemo(
    () =>
      new TaskTable(
        () => session.tasks.rows$({ pilot: id }),
        { text: '', states: new Set(), set: null, group: 'state', sort: null, closed: new Set(['state:DONE']) },
        cellContext(session),
      ),
    [session, id],
  );
  useEffect(() => () => table.dispose(), [table]);
  return (
    <TablePane
      table={table}
      name={trans.__('Tasks on %1', name)}
      without={WITHOUT}
      empty={
        <EmptyState text={trans.__('No tasks yet. Submit some from a notebook: they run on this pilot.')}>
          <LinkButton onClick={() => void commands.execute(CommandIDs.runTask)}>{trans.__('Run a task')}</LinkButton>
        </EmptyState>
      }
    />
  );
}

const WITHOUT = ['pilot', 'created'] as const;
