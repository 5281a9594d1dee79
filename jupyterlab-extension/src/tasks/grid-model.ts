import { DataModel } from '@lumino/datagrid';
import { stateWord } from '../format/state.js';
import type { Column } from './columns.js';
import type { TableChange, TaskTable } from './task-table.js';

/** The table as Lumino's grid reads it: rows are looked up when they are drawn, nothing is copied. */
export class TaskGridModel extends DataModel {
  #rows: number;

  constructor(
    private readonly table: TaskTable,
    readonly columns: readonly Column[],
    private readonly groupName: (key: string) => string,
  ) {
    super();
    this.#rows = table.order.length;
  }

  rowCount(region: DataModel.RowRegion): number {
    return region === 'body' ? this.#rows : 1;
  }

  columnCount(region: DataModel.ColumnRegion): number {
    return region === 'body' ? this.columns.length : 0;
  }

  data(region: DataModel.CellRegion, place: number, index: number): string {
    const column = this.columns[index];
    if (column === undefined) return '';
    if (region === 'column-header') return column.title + this.#arrow(column);
    const { order, context } = this.table;
    const row = order.rowAt(place);
    if (row !== null) return column.text(row, context());
    const group = order.groupAt(place);
    return group === null || index > 0 ? '' : groupTitle(group, this.groupName);
  }

  /** Tells the grid what to draw anew. */
  take(change: TableChange, first: number, last: number): void {
    if (!change.reordered) {
      this.#redraw(first, last - first + 1);
      return;
    }
    const { length } = this.table.order;
    const before = this.#rows;
    this.#rows = length;
    if (length > before) {
      this.emitChanged({ type: 'rows-inserted', region: 'body', index: before, span: length - before });
    } else if (length < before) {
      this.emitChanged({ type: 'rows-removed', region: 'body', index: length, span: before - length });
    }
    this.#redraw(0, length);
    this.emitChanged({
      type: 'cells-changed',
      region: 'column-header',
      row: 0,
      column: 0,
      rowSpan: 1,
      columnSpan: this.columns.length,
    });
  }

  #redraw(row: number, rowSpan: number): void {
    if (rowSpan < 1) return;
    const columnSpan = this.columns.length;
    this.emitChanged({ type: 'cells-changed', region: 'body', row, column: 0, rowSpan, columnSpan });
  }

  #arrow(column: Column): string {
    const { sort } = this.table.query;
    if (sort?.column.id !== column.id) return '';
    return sort.descending ? ' ▾' : ' ▴';
  }
}

/** What stands in the row of a group: `▾ preprocess (1,000)`. */
export function groupTitle(
  group: { readonly key: string; readonly size: number; readonly open: boolean },
  name: (key: string) => string,
): string {
  return `${group.open ? '▾' : '▸'} ${name(group.key)} (${group.size.toLocaleString()})`;
}

/** Names of the groups of a table: the set's, or the word for the state. */
export function groupNames(table: TaskTable, setName: (id: string) => string, single: string): (key: string) => string {
  return (key) => (table.query.group === 'state' ? stateWord(key) : key === '' ? single : setName(key));
}
