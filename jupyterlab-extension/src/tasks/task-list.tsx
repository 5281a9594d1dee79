import { type KeyboardEvent, useMemo } from 'react';
import { StateBadge } from '../components/state-badge.js';
import { useApp } from '../hooks/context.js';
import { useLive, useNow } from '../hooks/live.js';
import type { Column } from './columns.js';
import { chooseAll, type GridActions } from './grid-input.js';
import { groupTitle } from './groups.js';
import { AT } from './row-store.js';
import type { TaskTable } from './task-table.js';
import { useHold } from './use-hold.js';

/** The table as a plain one, for up to a few hundred rows. */
export function TaskList(props: {
  readonly name: string;
  readonly table: TaskTable;
  readonly columns: readonly Column[];
  readonly groupName: (key: string) => string;
  readonly actions: GridActions;
  /** Rows shown at most. */
  readonly most: number;
}): JSX.Element {
  const { trans } = useApp();
  const { table, columns, actions, most } = props;
  const summary = useLive(table.summary$, table.summary);
  useNow();
  const { order, query, selection } = table;
  const lines = useLines(table, most);
  const shown = lines.filter((line) => line.kind === 'row').length;
  const all = shown > 0 && selection.size >= shown;
  return (
    <div className="ph-TaskList" {...useHold(table)}>
      <table className="ph-Table ph-mod-wide">
        <caption className="ph-offscreen">{props.name}</caption>
        <thead>
          <tr>
            <th scope="col" className="ph-TaskList-check">
              <input
                type="checkbox"
                aria-label={trans.__('Choose all')}
                checked={all}
                onChange={() => {
                  if (all) selection.none();
                  else chooseAll(table);
                  table.chosenChanged();
                }}
              />
            </th>
            {columns.map((column, index) => (
              <th
                key={column.id}
                scope="col"
                className={column.align === 'right' ? 'ph-mod-right' : ''}
                aria-sort={
                  query.sort?.column.id === column.id ? (query.sort.descending ? 'descending' : 'ascending') : undefined
                }
              >
                <button type="button" className="ph-Plain" title={column.hint} onClick={() => actions.sort(index)}>
                  {column.title}
                  <span aria-hidden="true">
                    {query.sort?.column.id === column.id ? (query.sort.descending ? ' ▾' : ' ▴') : ''}
                  </span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map((line) =>
            line.kind === 'group' ? (
              <tr key={`group ${line.group.key}`} className="ph-TaskList-group">
                <th scope="rowgroup" colSpan={columns.length + 1}>
                  <button
                    type="button"
                    className="ph-Plain"
                    aria-expanded={line.group.open}
                    onClick={() => actions.toggleGroup(line.group.key)}
                  >
                    {groupTitle(line.group, props.groupName)}
                  </button>
                </th>
              </tr>
            ) : (
              <ListRow key={line.slot} slot={line.slot} table={table} columns={columns} actions={actions} />
            ),
          )}
        </tbody>
      </table>
      {order.length > lines.length ? (
        <p className="ph-TaskList-more">
          {trans.__('These are the first %1 of %2.', most, summary.matching.toLocaleString())}
        </p>
      ) : null}
    </div>
  );
}

type Line =
  | { readonly kind: 'row'; readonly slot: number }
  | { readonly kind: 'group'; readonly group: { key: string; size: number; open: boolean } };

function useLines(table: TaskTable, most: number): readonly Line[] {
  const { order } = table;
  const lines: Line[] = [];
  for (let place = 0; place < Math.min(order.length, most); place += 1) {
    const slot = order.slotAt(place);
    const group = order.groupAt(place);
    if (slot !== null) lines.push({ kind: 'row', slot });
    else if (group !== null) lines.push({ kind: 'group', group });
  }
  return lines;
}

function ListRow(props: {
  readonly slot: number;
  readonly table: TaskTable;
  readonly columns: readonly Column[];
  readonly actions: GridActions;
}): JSX.Element | null {
  const { trans } = useApp();
  const { slot, table, actions } = props;
  const { selection } = table;
  const context = useMemo(() => table.context, [table]);
  const row = table.store.rows[slot];
  if (!row) return null;
  const name = row[AT.name];
  const here = selection.cursor === slot;
  const onKeyDown = (event: KeyboardEvent<HTMLTableRowElement>): void => {
    const { currentTarget } = event;
    if (event.key === 'ArrowDown') focusName(currentTarget.nextElementSibling);
    else if (event.key === 'ArrowUp') focusName(currentTarget.previousElementSibling);
    else if (event.key === 'Delete') {
      if (!selection.has(slot)) selection.only(slot);
      table.chosenChanged();
      actions.cancel();
    } else return;
    event.preventDefault();
  };
  return (
    <tr
      className={here ? 'ph-mod-here' : ''}
      aria-selected={selection.has(slot)}
      data-ph-kind="task"
      data-ph-id={row[AT.id]}
      onKeyDown={onKeyDown}
      onDoubleClick={() => actions.open(slot)}
    >
      <td className="ph-TaskList-check">
        <input
          type="checkbox"
          aria-label={trans.__('Choose %1', name)}
          checked={selection.has(slot)}
          onChange={() => {
            selection.toggle(slot);
            table.chosenChanged();
          }}
        />
      </td>
      {props.columns.map((column) => {
        const text = column.text(row, context());
        if (column.id === 'name') {
          return (
            <th key={column.id} scope="row">
              <button
                type="button"
                className="ph-Link"
                onClick={() => {
                  selection.only(slot);
                  table.chosenChanged();
                }}
              >
                {text}
              </button>
            </th>
          );
        }
        return (
          <td key={column.id} className={cellClass(column)} title={long(text)}>
            {column.id === 'state' ? <StateBadge kind="task" state={row[AT.state]} /> : text}
          </td>
        );
      })}
    </tr>
  );
}

/** Only reasons may take several lines. */
function cellClass({ align, id }: Column): string {
  return [align === 'right' ? 'ph-mod-right' : '', id === 'why' ? 'ph-mod-long' : 'ph-mod-short'].join(' ').trim();
}

function long(text: string): string | undefined {
  return text.length > 40 ? text : undefined;
}

function focusName(row: Element | null): void {
  row?.querySelector<HTMLElement>('th button')?.focus();
}
