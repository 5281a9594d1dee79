import { useEffect, useMemo, useState } from 'react';
import { ProblemNote } from '../components/problem-note.js';
import { EmptyState, LinkButton, TextButton } from '../components/small.js';
import { useActive, useApp } from '../hooks/context.js';
import { useLive } from '../hooks/live.js';
import { CommandIDs } from '../tokens.js';
import { BulkBar } from './bulk-bar.js';
import { type Column, type ColumnId, taskColumns } from './columns.js';
import { Filters } from './filters.js';
import type { GridActions } from './grid-input.js';
import { groupNames } from './groups.js';
import { groupKey } from './row-order.js';
import { AT } from './row-store.js';
import { TaskGrid } from './task-grid.js';
import { TaskList } from './task-list.js';
import type { TableSummary, TaskTable } from './task-table.js';

/** Columns that are left out where there is little room. */
const RARE: readonly ColumnId[] = ['took', 'pilot', 'cores', 'gpus', 'attempt', 'exit', 'created'];

/** Up to so many rows stand in a plain table, more on a canvas. */
export const LIST_ROWS = 200;

/** The live table with its filters and what can be done with what is chosen. */
export function TablePane(props: {
  readonly table: TaskTable;
  readonly name: string;
  /** Columns that are left out. */
  readonly without?: readonly ColumnId[];
  /** There is little room: only what tells rows apart is shown. */
  readonly narrow?: boolean;
  /** What to say when there are no tasks at all. */
  readonly empty: JSX.Element;
}): JSX.Element {
  const { commands, session, trans } = useApp();
  const { table, name, without, narrow = false } = props;
  const active = useActive();
  const summary = useLive(table.summary$, table.summary);
  const { sets } = useLive(session.picture$, session.picture);
  const [asList, setAsList] = useState(false);
  useEffect(() => {
    table.visible = active;
  }, [table, active]);
  const inOneSet = summary.query.set !== null || summary.query.group === 'set';
  const noGpus = !useHasGpus(table, summary);
  const columns = useMemo(() => {
    const left = new Set<ColumnId>(without);
    if (inOneSet) left.add('set');
    if (noGpus) left.add('gpus');
    if (narrow) for (const id of RARE) left.add(id);
    return taskColumns(trans).filter(({ id }) => !left.has(id));
  }, [trans, without, inOneSet, noGpus, narrow]);
  const groupName = useMemo(() => {
    return groupNames(table, (id) => table.context().setName(id), trans.__('Tasks of no set'));
  }, [table, trans]);
  const actions = useMemo<GridActions>(
    () => ({
      open: (slot) => {
        const id = table.store.rows[slot]?.[AT.id];
        if (id !== undefined) void commands.execute(CommandIDs.openTask, { id });
      },
      cancel: () => void commands.execute(CommandIDs.cancelTask, { kind: 'task', ids: table.chosenIds() }),
      sort: (index) => sortBy(table, columns[index]),
      toggleGroup: (key) => toggleGroup(table, key),
    }),
    [table, columns, commands],
  );
  if (summary.problem !== null) {
    return (
      <div className="ph-NotConnected">
        <ProblemNote problem={summary.problem} />
        <div className="ph-Buttons">
          <TextButton accent onClick={() => table.retry()}>
            {trans.__('Retry')}
          </TextButton>
        </div>
      </div>
    );
  }
  if (summary.size === 0) {
    return summary.loaded ? props.empty : <EmptyState text={trans.__('Reading the list of tasks …')} />;
  }
  const many = summary.matching > LIST_ROWS;
  return (
    <div className="ph-TablePane">
      <Filters table={table} summary={summary} sets={sets} />
      {summary.matching === 0 ? (
        <EmptyState text={trans.__('No task passes the filter.')}>
          <LinkButton onClick={() => table.ask({ text: '', states: new Set(), set: null })}>
            {trans.__('Show all tasks')}
          </LinkButton>
        </EmptyState>
      ) : many && !asList ? (
        <TaskGrid name={name} table={table} columns={columns} groupName={groupName} actions={actions} />
      ) : (
        <TaskList
          name={name}
          table={table}
          columns={columns}
          groupName={groupName}
          actions={actions}
          most={LIST_ROWS + 100}
        />
      )}
      {summary.changes === 0 ? null : (
        <div className="ph-Changes">
          {trans._n('%2 change', '%2 changes', summary.changes, summary.changes.toLocaleString())}
          {' · '}
          <LinkButton onClick={() => table.reorder()}>{trans.__('Show')}</LinkButton>
        </div>
      )}
      {summary.chosen > 1 ? <BulkBar table={table} summary={summary} /> : null}
      {many ? (
        <p className="ph-TablePane-mode">
          <LinkButton onClick={() => setAsList(!asList)}>
            {asList ? trans.__('Show all rows') : trans.__('Show the first rows as a plain table')}
          </LinkButton>
        </p>
      ) : null}
    </div>
  );
}

/** Whether any task asks for GPUs; looked for only until one does. */
function useHasGpus(table: TaskTable, summary: TableSummary): boolean {
  const [has, setHas] = useState(false);
  const { size } = summary;
  useEffect(() => {
    if (has || size === 0) return;
    if (table.store.rows.some((row) => row !== null && row[AT.gpus] > 0)) setHas(true);
  }, [table, has, size]);
  return has;
}

/** A first click sorts upwards, a second downwards, a third as they were submitted. */
function sortBy(table: TaskTable, column: Column | undefined): void {
  if (column === undefined) return;
  const { sort } = table.query;
  if (sort?.column.id !== column.id) table.ask({ sort: { column, descending: false } });
  else table.ask({ sort: sort.descending ? null : { column, descending: true } });
}

function toggleGroup(table: TaskTable, key: string): void {
  const { group, closed } = table.query;
  const next = new Set(closed);
  if (!next.delete(groupKey(group, key))) next.add(groupKey(group, key));
  table.ask({ closed: next });
}
