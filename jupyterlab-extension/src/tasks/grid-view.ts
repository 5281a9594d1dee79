import { DataGrid } from '@lumino/datagrid';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import type { Subscription } from 'rxjs';
import type { Column } from './columns.js';
import { type GridActions, GridKeys, GridPointer } from './grid-input.js';
import { TaskGridModel } from './grid-model.js';
import { cellRenderer, gridStyle, headerRenderer, type Palette, readPalette } from './grid-theme.js';
import { type TaskTable, touches } from './task-table.js';

const ROW_HEIGHT = 26;

/** The table as a canvas that draws only what is in sight. */
export class GridView {
  readonly #grid: DataGrid;
  readonly #model: TaskGridModel;
  readonly #subscription: Subscription;
  readonly #resized: ResizeObserver;
  readonly #theme: MutationObserver;
  readonly #clock: ReturnType<typeof setInterval>;

  /**
   * @param host - must be in the page, and keeps its size by itself
   * @param label - what it is called for a screen reader, and the id of the element that speaks for the current row
   */
  constructor(
    private readonly host: HTMLElement,
    private readonly table: TaskTable,
    private readonly columns: readonly Column[],
    groupName: (key: string) => string,
    actions: GridActions,
    label: { readonly name: string; readonly current: string },
  ) {
    const palette = readPalette(host);
    this.#grid = new DataGrid({
      style: gridStyle(palette, table),
      defaultSizes: { rowHeight: ROW_HEIGHT, columnWidth: 100, rowHeaderWidth: 0, columnHeaderHeight: 28 },
      headerVisibility: 'column',
      defaultRenderer: cellRenderer(palette, table, columns),
      stretchLastColumn: true,
    });
    this.#model = new TaskGridModel(table, columns, groupName);
    this.#grid.dataModel = this.#model;
    this.#dress(palette);
    for (const [index, column] of columns.entries()) this.#grid.resizeColumn('body', index, column.width);
    this.#grid.mouseHandler = new GridPointer(table, actions);
    this.#grid.keyHandler = new GridKeys(table, actions);
    const { node } = this.#grid.viewport;
    node.tabIndex = 0;
    node.setAttribute('role', 'grid');
    node.setAttribute('aria-label', label.name);
    node.setAttribute('aria-multiselectable', 'true');
    node.setAttribute('aria-activedescendant', label.current);
    node.setAttribute('aria-owns', label.current);
    Widget.attach(this.#grid, host);
    this.#resized = new ResizeObserver(() => {
      MessageLoop.sendMessage(this.#grid, Widget.ResizeMessage.UnknownSize);
    });
    this.#resized.observe(host);
    this.#theme = new MutationObserver(() => this.#dress(readPalette(host)));
    this.#theme.observe(document.body, { attributes: true, attributeFilter: ['data-jp-theme-name'] });
    this.#subscription = table.changes$.subscribe((change) => {
      const [first, last] = this.#window();
      if (touches(change, first, last)) this.#model.take(change, first, last);
      if (change.reordered) node.setAttribute('aria-rowcount', String(table.order.length));
    });
    // Durations grow by themselves.
    this.#clock = setInterval(() => {
      if (table.order.length === 0 || host.offsetParent === null) return;
      const [first, last] = this.#window();
      this.#model.take({ reordered: false, places: [] }, first, last);
    }, 1000);
  }

  focus(): void {
    this.#grid.viewport.node.focus();
  }

  dispose(): void {
    clearInterval(this.#clock);
    this.#resized.disconnect();
    this.#theme.disconnect();
    this.#subscription.unsubscribe();
    this.#grid.dispose();
  }

  /** First and last place in sight. */
  #window(): [number, number] {
    const first = Math.floor(this.#grid.scrollY / ROW_HEIGHT);
    const last = Math.ceil((this.#grid.scrollY + this.#grid.pageHeight) / ROW_HEIGHT);
    return [first, Math.min(last, this.table.order.length - 1)];
  }

  #dress(palette: Palette): void {
    this.#grid.style = gridStyle(palette, this.table);
    this.#grid.cellRenderers.update({
      body: cellRenderer(palette, this.table, this.columns),
      'column-header': headerRenderer(palette, this.columns),
    });
    this.host.style.setProperty('background', palette.background);
  }
}
