import { useEffect, useId, useRef } from 'react';
import { useApp } from '../hooks/context.js';
import { useLive } from '../hooks/live.js';
import type { Column } from './columns.js';
import type { GridActions } from './grid-input.js';
import { GridView } from './grid-view.js';
import type { TaskTable } from './task-table.js';
import { useHold } from './use-hold.js';

/** The table as a canvas, with the current row spelled out for who cannot see it. */
export function TaskGrid(props: {
  readonly name: string;
  readonly table: TaskTable;
  readonly columns: readonly Column[];
  readonly groupName: (key: string) => string;
  readonly actions: GridActions;
}): JSX.Element {
  const { table, columns, groupName, actions, name } = props;
  const host = useRef<HTMLDivElement>(null);
  const id = useId();
  useEffect(() => {
    const node = host.current;
    if (node === null) return undefined;
    const view = new GridView(node, table, columns, groupName, actions, { name, current: id });
    return () => view.dispose();
  }, [table, columns, groupName, actions, name, id]);
  return (
    <div className="ph-Grid" {...useHold(table)}>
      <div className="ph-Grid-canvas" ref={host} />
      <CurrentRow id={id} table={table} columns={columns} />
    </div>
  );
}

/** The row under the cursor as cells that a screen reader reads: a canvas has none. */
function CurrentRow(props: {
  readonly id: string;
  readonly table: TaskTable;
  readonly columns: readonly Column[];
}): JSX.Element {
  const { trans } = useApp();
  const { table } = props;
  useLive(table.summary$, table.summary);
  const { cursor } = table.selection;
  const row = cursor === null ? null : table.store.rows[cursor];
  const context = table.context();
  return (
    // biome-ignore lint/a11y/useSemanticElements: it belongs to the canvas's grid, which is no table
    // biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus and names it as its active descendant
    <div
      id={props.id}
      className="ph-offscreen"
      role="row"
      aria-selected={cursor !== null && table.selection.has(cursor)}
      aria-rowindex={cursor === null ? undefined : table.order.placeOf(cursor) + 1}
    >
      {row === null || row === undefined ? (
        // biome-ignore lint/a11y/useSemanticElements: as above
        // biome-ignore lint/a11y/useFocusableInteractive: as above
        <span role="gridcell">{trans.__('No task is chosen; the arrow keys choose one.')}</span>
      ) : (
        props.columns.map((column) => {
          const text = column.text(row, context);
          return text === '' ? null : (
            // biome-ignore lint/a11y/useSemanticElements: as above
            // biome-ignore lint/a11y/useFocusableInteractive: as above
            <span role="gridcell" key={column.id}>{`${column.title}: ${text}`}</span>
          );
        })
      )}
    </div>
  );
}
