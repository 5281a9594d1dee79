import { type PointerEvent, useEffect, useId, useRef, useState } from 'react';
import { useApp } from '../hooks/context.js';
import { useLive } from '../hooks/live.js';
import type { Column } from './columns.js';
import type { GridActions } from './grid-input.js';
import { GridView } from './grid-view.js';
import type { TaskTable } from './task-table.js';
import { useHold } from './use-hold.js';

const NARROWEST = 40;

/** The table as a canvas, with real buttons as titles, and the current row spelled out for who cannot see it. */
export function TaskGrid(props: {
  readonly name: string;
  readonly table: TaskTable;
  readonly columns: readonly Column[];
  readonly groupName: (key: string) => string;
  readonly actions: GridActions;
}): JSX.Element {
  const { trans } = useApp();
  const { table, columns, groupName, actions, name } = props;
  const { query } = useLive(table.summary$, table.summary);
  const head = useRef<HTMLDivElement>(null);
  const scroll = useRef<HTMLDivElement>(null);
  const space = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const view = useRef<GridView | null>(null);
  const [wide, setWide] = useState<Readonly<Record<string, number>>>({});
  const widths = columns.map(({ id, width }) => wide[id] ?? width);
  const id = useId();
  useEffect(() => {
    if (!head.current || !scroll.current || !space.current || !canvas.current) return undefined;
    const parts = { head: head.current, scroll: scroll.current, space: space.current, canvas: canvas.current };
    const made = new GridView(parts, table, columns, groupName, actions);
    view.current = made;
    return () => made.dispose();
  }, [table, columns, groupName, actions]);
  const key = widths.join(' ');
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` says whether a width has changed
  useEffect(() => {
    if (view.current !== null) view.current.widths = widths;
  }, [key]);
  return (
    <div className="ph-Grid" {...useHold(table)}>
      <div className="ph-Grid-top">
        <div className="ph-Grid-head" ref={head}>
          {columns.map((column, index) => {
            const sorted = query.sort?.column.id === column.id ? query.sort : null;
            return (
              <span key={column.id} style={{ width: widths[index] }}>
                <button
                  type="button"
                  className={column.align === 'right' ? 'ph-Plain ph-mod-right' : 'ph-Plain'}
                  title={column.hint ?? trans.__('Sort by %1', column.title)}
                  aria-pressed={sorted !== null}
                  onClick={() => actions.sort(index)}
                >
                  {column.title}
                  <span aria-hidden="true">{sorted === null ? '' : sorted.descending ? ' ▾' : ' ▴'}</span>
                </button>
                <Edge
                  width={widths[index] ?? column.width}
                  onChange={(width) => setWide({ ...wide, [column.id]: width })}
                />
              </span>
            );
          })}
        </div>
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: a canvas has no rows of its own */}
      <div
        ref={scroll}
        className="ph-Grid-scroll"
        role="grid"
        aria-label={name}
        aria-multiselectable="true"
        aria-activedescendant={id}
        aria-owns={id}
        tabIndex={0}
      >
        <div ref={space} className="ph-Grid-space">
          <canvas ref={canvas} className="ph-Grid-canvas" />
        </div>
      </div>
      <CurrentRow id={id} table={table} columns={columns} />
    </div>
  );
}

/** The edge of a column's title, which changes its width. */
function Edge(props: { readonly width: number; readonly onChange: (width: number) => void }): JSX.Element {
  const start = useRef<{ readonly x: number; readonly width: number } | null>(null);
  return (
    <span
      className="ph-Grid-edge"
      onPointerDown={(event: PointerEvent<HTMLSpanElement>) => {
        start.current = { x: event.clientX, width: props.width };
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event: PointerEvent<HTMLSpanElement>) => {
        const { current } = start;
        if (current !== null) props.onChange(Math.max(NARROWEST, current.width + event.clientX - current.x));
      }}
      onPointerUp={() => {
        start.current = null;
      }}
    />
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
