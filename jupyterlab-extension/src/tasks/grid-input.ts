import type { TaskTable } from './task-table.js';

/** What keys and pointer ask the table's surroundings to do. */
export interface GridActions {
  readonly open: (slot: number) => void;
  readonly cancel: () => void;
  readonly sort: (column: number) => void;
  readonly toggleGroup: (key: string) => void;
}

/** What keys need of the drawing. */
export interface GridSteering {
  /** Rows that fit into it, less one. */
  readonly pageRows: number;
  /** Brings a place into sight. */
  readonly reveal: (place: number) => void;
}

/**
 * Keys: arrows, Page Up and Down, Home, End move; Shift takes along; Space adds; Enter opens; Delete cancels; Ctrl+A all.
 *
 * @returns whether the key meant something
 */
export function onGridKey(
  event: KeyboardEvent,
  table: TaskTable,
  actions: GridActions,
  steering: GridSteering,
): boolean {
  const { order, selection } = table;
  const { cursor } = selection;
  const move = (by: number): boolean => step(table, by, event, steering);
  switch (event.key) {
    case 'ArrowDown':
      return move(1);
    case 'ArrowUp':
      return move(-1);
    case 'PageDown':
      return move(steering.pageRows);
    case 'PageUp':
      return move(-steering.pageRows);
    case 'Home':
      return move(-order.length);
    case 'End':
      return move(order.length);
    case 'Enter':
      if (cursor !== null) actions.open(cursor);
      return cursor !== null;
    case ' ':
      if (cursor === null) return false;
      selection.toggle(cursor);
      table.chosenChanged();
      return true;
    case 'Delete':
      if (selection.size > 0) actions.cancel();
      return selection.size > 0;
    case 'Escape':
      selection.none();
      table.chosenChanged();
      return true;
    case 'a':
      if (!event.ctrlKey && !event.metaKey) return false;
      chooseAll(table);
      return true;
    default:
      return false;
  }
}

/** Moves the cursor; rows of groups are stepped over. */
function step(table: TaskTable, by: number, event: KeyboardEvent, steering: GridSteering): boolean {
  const { order, selection } = table;
  const from = selection.cursor === null ? -1 : order.placeOf(selection.cursor);
  let place = Math.min(order.length - 1, Math.max(0, from + by));
  const on = by < 0 ? -1 : 1;
  while (order.groupAt(place) !== null && place + on >= 0 && place + on < order.length) place += on;
  const slot = order.slotAt(place);
  if (slot !== null) choose(table, slot, { shiftKey: event.shiftKey, ctrlKey: false, metaKey: false });
  steering.reveal(place);
  return true;
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

/** Chooses a row: alone, with Shift up to it, with Ctrl one more or less. */
export function choose(
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
