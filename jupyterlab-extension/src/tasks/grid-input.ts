import { BasicMouseHandler, type DataGrid } from '@lumino/datagrid';
import type { TaskTable } from './task-table.js';

/** What keys and pointer ask the table's surroundings to do. */
export interface GridActions {
  readonly open: (slot: number) => void;
  readonly cancel: () => void;
  readonly sort: (column: number) => void;
  readonly toggleGroup: (key: string) => void;
}

/** Pixels at the edge of a column's title that change its width. */
const EDGE = 5;

/** Pointer: a click chooses, with Shift up to there, with Ctrl one more; titles sort, their edges change the width. */
export class GridPointer extends BasicMouseHandler {
  constructor(
    private readonly table: TaskTable,
    private readonly actions: GridActions,
  ) {
    super();
  }

  override onMouseDown(grid: DataGrid, event: MouseEvent): void {
    const hit = grid.hitTest(event.clientX, event.clientY);
    if (hit.region === 'column-header') {
      if (hit.x <= EDGE || hit.width - hit.x <= EDGE) super.onMouseDown(grid, event);
      else this.actions.sort(hit.column);
      return;
    }
    if (hit.region !== 'body') return;
    const { order, selection } = this.table;
    const group = order.groupAt(hit.row);
    if (group !== null) {
      this.actions.toggleGroup(group.key);
      return;
    }
    const slot = order.slotAt(hit.row);
    if (slot === null) return;
    // The context menu is about what is chosen, if it opens there.
    if (event.button === 2 && selection.has(slot)) return;
    choose(this.table, slot, event);
  }

  override onMouseDoubleClick(grid: DataGrid, event: MouseEvent): void {
    const hit = grid.hitTest(event.clientX, event.clientY);
    const slot = hit.region === 'body' ? this.table.order.slotAt(hit.row) : null;
    if (slot !== null) this.actions.open(slot);
    else super.onMouseDoubleClick(grid, event);
  }
}

/** Keys: arrows, Page Up and Down, Home, End move; Shift takes along; Space adds; Enter opens; Delete cancels. */
export class GridKeys implements DataGrid.IKeyHandler {
  isDisposed = false;

  constructor(
    private readonly table: TaskTable,
    private readonly actions: GridActions,
  ) {}

  dispose(): void {
    this.isDisposed = true;
  }

  onKeyDown(grid: DataGrid, event: KeyboardEvent): void {
    if (!this.act(event, grid)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  private act(event: KeyboardEvent, grid: DataGrid): boolean {
    const { order, selection } = this.table;
    const page = Math.max(1, Math.floor(grid.pageHeight / grid.defaultSizes.rowHeight) - 1);
    const accel = event.ctrlKey || event.metaKey;
    const { cursor } = selection;
    switch (event.key) {
      case 'ArrowDown':
        return this.step(grid, 1, event);
      case 'ArrowUp':
        return this.step(grid, -1, event);
      case 'PageDown':
        return this.step(grid, page, event);
      case 'PageUp':
        return this.step(grid, -page, event);
      case 'Home':
        return this.step(grid, -order.length, event);
      case 'End':
        return this.step(grid, order.length, event);
      case 'ArrowLeft':
        grid.scrollBy(-60, 0);
        return true;
      case 'ArrowRight':
        grid.scrollBy(60, 0);
        return true;
      case 'Enter':
        if (cursor !== null) this.actions.open(cursor);
        return cursor !== null;
      case ' ':
        if (cursor === null) return false;
        selection.toggle(cursor);
        this.table.chosenChanged();
        return true;
      case 'Delete':
        if (selection.size > 0) this.actions.cancel();
        return selection.size > 0;
      case 'Escape':
        selection.none();
        this.table.chosenChanged();
        return true;
      case 'a':
        if (!accel) return false;
        chooseAll(this.table);
        return true;
      default:
        return false;
    }
  }

  /** Moves the cursor; rows of groups are stepped over. */
  private step(grid: DataGrid, by: number, event: KeyboardEvent): boolean {
    const { order, selection } = this.table;
    const from = selection.cursor === null ? -1 : order.placeOf(selection.cursor);
    let place = Math.min(order.length - 1, Math.max(0, from + by));
    const on = by < 0 ? -1 : 1;
    while (order.groupAt(place) !== null && place + on >= 0 && place + on < order.length) place += on;
    const slot = order.slotAt(place);
    if (slot !== null) choose(this.table, slot, { shiftKey: event.shiftKey, ctrlKey: false, metaKey: false });
    grid.scrollToRow(place);
    return true;
  }
}

/** Chooses every row that passes the filter and can be seen. */
export function chooseAll(table: TaskTable): void {
  const { order, selection } = table;
  const slots: number[] = [];
  for (let place = 0; place < order.length; place += 1) {
    const slot = order.slotAt(place);
    if (slot !== null) slots.push(slot);
  }
  selection.all(slots);
  table.chosenChanged();
}

function choose(
  table: TaskTable,
  slot: number,
  keys: { readonly shiftKey: boolean; readonly ctrlKey: boolean; readonly metaKey: boolean },
): void {
  const { order, selection } = table;
  if (keys.shiftKey) {
    selection.extend(
      slot,
      (one) => order.placeOf(one),
      (place) => order.slotAt(place),
    );
  } else if (keys.ctrlKey || keys.metaKey) selection.toggle(slot);
  else selection.only(slot);
  table.chosenChanged();
}
