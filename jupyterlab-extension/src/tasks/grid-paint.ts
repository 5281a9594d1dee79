import { stateMark } from '@pilothouse/sdk/internal';
import type { Column } from './columns.js';
import type { GridPalette } from './grid-palette.js';
import { groupTitle } from './groups.js';
import { AT } from './row-store.js';
import type { TaskTable } from './task-table.js';

/** Height of a row in pixels. */
export const ROW_HEIGHT = 26;
const PADDING = 8;

/** What of the table is in sight, in pixels. */
export interface Sight {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** What a drawing of the rows needs. */
export interface Painting {
  readonly table: TaskTable;
  readonly columns: readonly Column[];
  /** Of each column, in pixels. */
  readonly widths: readonly number[];
  readonly groupName: (key: string) => string;
  readonly palette: GridPalette;
  readonly sight: Sight;
}

/** First and last place in sight. */
export function placesIn({ top, height }: Sight, rows: number): readonly [number, number] {
  return [Math.floor(top / ROW_HEIGHT), Math.min(rows - 1, Math.ceil((top + height) / ROW_HEIGHT))];
}

/**
 * Draws the rows in sight, straight onto the canvas in one pass: a few hundred texts, whatever the length of the table.
 */
export function paintRows(canvas: CanvasRenderingContext2D, painting: Painting): void {
  const { table, columns, widths, palette, sight } = painting;
  const [first, last] = placesIn(sight, table.order.length);
  canvas.fillStyle = palette.background;
  canvas.fillRect(0, 0, sight.width, sight.height);
  for (let place = first; place <= last; place += 1) paintGround(canvas, painting, place);
  canvas.textBaseline = 'middle';
  canvas.font = palette.font;
  const context = table.context();
  let x = -sight.left;
  for (const [index, column] of columns.entries()) {
    const width = widths[index] ?? column.width;
    if (x + width > 0 && x < sight.width) {
      canvas.textAlign = column.align;
      for (let place = first; place <= last; place += 1) {
        const row = table.order.rowAt(place);
        if (row === null) continue;
        const y = place * ROW_HEIGHT - sight.top;
        const mark = column.id === 'state' ? stateMark('task', row[AT.state]) : null;
        const text = column.text(row, context);
        canvas.fillStyle =
          mark === null ? (column.id === 'name' ? palette.text : palette.quiet) : palette.tones[mark.tone];
        const at = column.align === 'right' ? x + width - PADDING : x + PADDING;
        const whole = mark === null ? text : `${mark.shape} ${text}`;
        canvas.fillText(fitted(canvas, whole, width - 2 * PADDING), at, y + ROW_HEIGHT / 2);
      }
    }
    x += width;
  }
  paintGroups(canvas, painting, first, last);
}

function paintGround(canvas: CanvasRenderingContext2D, { table, palette, sight }: Painting, place: number): void {
  const { order, selection } = table;
  const slot = order.slotAt(place);
  const y = place * ROW_HEIGHT - sight.top;
  if (slot === null) {
    canvas.fillStyle = palette.group;
    canvas.fillRect(0, y, sight.width, ROW_HEIGHT);
  } else if (selection.has(slot)) {
    canvas.fillStyle = palette.chosen;
    canvas.fillRect(0, y, sight.width, ROW_HEIGHT);
  }
  canvas.fillStyle = palette.line;
  canvas.fillRect(0, y + ROW_HEIGHT - 1, sight.width, 1);
  if (slot !== null && slot === selection.cursor) {
    canvas.fillStyle = palette.cursor;
    canvas.fillRect(0, y, 3, ROW_HEIGHT - 1);
  }
}

function paintGroups(canvas: CanvasRenderingContext2D, painting: Painting, first: number, last: number): void {
  const { table, palette, sight, groupName } = painting;
  canvas.font = palette.bold;
  canvas.textAlign = 'left';
  canvas.fillStyle = palette.text;
  for (let place = first; place <= last; place += 1) {
    const group = table.order.groupAt(place);
    if (group === null) continue;
    canvas.fillText(groupTitle(group, groupName), PADDING, place * ROW_HEIGHT - sight.top + ROW_HEIGHT / 2);
  }
}

/** Texts that had to be shortened, by their room: measuring is what costs most. */
const shortened = new Map<string, string>();
/** No letter that matters is narrower. */
const NARROW = 5;
const REMEMBER = 5000;

/** A text that ends in dots where there is no room for all of it. */
function fitted(canvas: CanvasRenderingContext2D, text: string, room: number): string {
  if (text.length * NARROW <= room) return text;
  const key = `${canvas.font} ${room} ${text}`;
  const known = shortened.get(key);
  if (known !== undefined) return known;
  let fits = text;
  if (canvas.measureText(text).width > room) {
    let low = 0;
    let high = Math.min(text.length, Math.ceil(room / 3));
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (canvas.measureText(`${text.slice(0, middle)}…`).width <= room) low = middle;
      else high = middle - 1;
    }
    fits = `${text.slice(0, low).trimEnd()}…`;
  }
  if (shortened.size >= REMEMBER) shortened.clear();
  shortened.set(key, fits);
  return fits;
}

/** The place at a height within the rows. */
export function placeAt(y: number): number {
  return Math.floor(y / ROW_HEIGHT);
}
