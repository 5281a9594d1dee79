import { type CellRenderer, type DataGrid, TextRenderer } from '@lumino/datagrid';
import { stateMark, type Tone } from '@pilothouse/sdk/internal';
import type { Column } from './columns.js';
import type { TaskTable } from './task-table.js';

/** Colours and fonts of the page as it looks now. */
export interface Palette {
  readonly text: string;
  readonly quiet: string;
  readonly background: string;
  readonly header: string;
  readonly line: string;
  readonly chosen: string;
  readonly cursor: string;
  readonly font: string;
  readonly bold: string;
  readonly tones: Readonly<Record<Tone, string>>;
}

/** Reads the theme where `node` stands: a canvas takes no colours from style sheets. */
export function readPalette(node: Element): Palette {
  const style = getComputedStyle(node);
  const value = (name: string, otherwise: string): string => style.getPropertyValue(name).trim() || otherwise;
  const family = value('--jp-ui-font-family', 'sans-serif');
  const size = value('--jp-ui-font-size1', '13px');
  const quiet = value('--ph-quiet', '#555');
  return {
    text: value('--jp-ui-font-color1', '#222'),
    quiet,
    background: value('--jp-layout-color1', '#fff'),
    header: value('--jp-layout-color2', '#eee'),
    line: value('--jp-border-color3', '#ddd'),
    chosen: value('--ph-chosen', 'rgba(25, 118, 210, 0.16)'),
    cursor: value('--jp-brand-color1', '#1976d2'),
    font: `${size} ${family}`,
    bold: `600 ${size} ${family}`,
    tones: {
      good: value('--ph-good', '#388e3c'),
      busy: value('--ph-busy', '#1976d2'),
      bad: value('--ph-bad', '#d32f2f'),
      waiting: quiet,
      over: quiet,
    },
  };
}

/** The grid's own colours; rows that are chosen stand out by their background. */
export function gridStyle(palette: Palette, table: TaskTable): DataGrid.Style {
  const { order, selection } = table;
  return {
    voidColor: palette.background,
    backgroundColor: palette.background,
    headerBackgroundColor: palette.header,
    gridLineColor: 'transparent',
    horizontalGridLineColor: palette.line,
    verticalGridLineColor: 'transparent',
    headerGridLineColor: palette.line,
    headerHorizontalGridLineColor: palette.line,
    headerVerticalGridLineColor: palette.line,
    rowBackgroundColor: (place) => {
      const slot = order.slotAt(place);
      if (slot === null) return order.groupAt(place) === null ? '' : palette.header;
      return selection.has(slot) ? palette.chosen : '';
    },
  };
}

/** How a cell is written; a state has its shape and colour, whatever is long ends in dots. */
export function cellRenderer(palette: Palette, table: TaskTable, columns: readonly Column[]): TextRenderer {
  const { order } = table;
  const column = ({ column: index }: CellRenderer.CellConfig): Column | undefined => columns[index];
  const isState = (config: CellRenderer.CellConfig): boolean => column(config)?.id === 'state';
  const state = ({ row: place }: CellRenderer.CellConfig) => {
    const row = order.rowAt(place);
    return row === null ? null : stateMark('task', row[3]);
  };
  return new TextRenderer({
    font: ({ row: place }) => (order.rowAt(place) === null ? palette.bold : palette.font),
    textColor: (config) => {
      if (isState(config)) return palette.tones[state(config)?.tone ?? 'over'];
      return column(config)?.id === 'name' ? palette.text : palette.quiet;
    },
    horizontalAlignment: (config) => (column(config)?.align === 'right' ? 'right' : 'left'),
    elideDirection: (config) => (order.rowAt(config.row) === null ? 'none' : 'right'),
    format: (config) => {
      const text = String(config.value ?? '');
      const mark = isState(config) ? state(config) : null;
      return mark === null ? text : `${mark.shape} ${text}`;
    },
  });
}

/** How the titles of columns are written. */
export function headerRenderer(palette: Palette, columns: readonly Column[]): TextRenderer {
  return new TextRenderer({
    font: palette.bold,
    textColor: palette.text,
    backgroundColor: palette.header,
    horizontalAlignment: ({ column }) => (columns[column]?.align === 'right' ? 'right' : 'left'),
    elideDirection: 'right',
  });
}
