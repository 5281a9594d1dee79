import type { Subscription } from 'rxjs';
import { isFinal } from '../format/state.js';
import type { Column } from './columns.js';
import { choose, type GridActions, onGridKey } from './grid-input.js';
import { paintRows, placeAt, placesIn, ROW_HEIGHT, type Sight } from './grid-paint.js';
import { type GridPalette, readGridPalette } from './grid-palette.js';
import { AT } from './row-store.js';
import { type TaskTable, touches } from './task-table.js';

/** The elements that a grid is made of: a box that scrolls, the space of all rows in it, the canvas that stays in sight. */
export interface GridParts {
  readonly scroll: HTMLElement;
  readonly space: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  /** Moves along with the rows when they are scrolled sideways. */
  readonly head: HTMLElement;
}

/** The table as a canvas that draws only what is in sight, at most once a frame. */
export class GridView {
  #palette: GridPalette;
  #frame: number | null = null;
  #widths: readonly number[];
  readonly #subscription: Subscription;
  readonly #resized: ResizeObserver;
  readonly #theme: MutationObserver;
  readonly #clock: ReturnType<typeof setInterval>;
  readonly #listeners = new AbortController();

  constructor(
    private readonly parts: GridParts,
    private readonly table: TaskTable,
    private readonly columns: readonly Column[],
    private readonly groupName: (key: string) => string,
    private readonly actions: GridActions,
  ) {
    const { scroll } = parts;
    this.#widths = columns.map(({ width }) => width);
    this.#palette = readGridPalette(scroll);
    this.#resized = new ResizeObserver(() => this.#plan());
    this.#resized.observe(scroll);
    this.#theme = new MutationObserver(() => {
      this.#palette = readGridPalette(scroll);
      this.#plan();
    });
    this.#theme.observe(document.body, { attributes: true, attributeFilter: ['data-jp-theme-name'] });
    this.#subscription = table.changes$.subscribe((change) => {
      if (change.reordered) this.#measure();
      const [first, last] = placesIn(this.#sight(), table.order.length);
      if (touches(change, first, last)) this.#plan();
    });
    // Durations grow by themselves.
    this.#clock = setInterval(() => this.#plan(), 1000);
    this.#listen();
    this.#measure();
    this.#plan();
  }

  /** Widths of the columns in pixels, after somebody has changed one. */
  set widths(widths: readonly number[]) {
    this.#widths = widths;
    this.#measure();
    this.#plan();
  }

  dispose(): void {
    clearInterval(this.#clock);
    if (this.#frame !== null) cancelAnimationFrame(this.#frame);
    this.#listeners.abort();
    this.#resized.disconnect();
    this.#theme.disconnect();
    this.#subscription.unsubscribe();
  }

  #listen(): void {
    const { scroll } = this.parts;
    const { signal } = this.#listeners;
    scroll.addEventListener('scroll', () => this.#plan(), { signal, passive: true });
    scroll.addEventListener('pointerdown', (event) => this.#onPress(event), { signal });
    scroll.addEventListener('dblclick', (event) => this.#onDouble(event), { signal });
    scroll.addEventListener('contextmenu', (event) => this.#onMenu(event), { signal });
    scroll.addEventListener(
      'keydown',
      (event) => {
        const keys = {
          pageRows: Math.max(1, Math.floor(scroll.clientHeight / ROW_HEIGHT) - 1),
          reveal: (place: number) => this.#reveal(place),
        };
        if (!onGridKey(event, this.table, this.actions, keys)) return;
        event.preventDefault();
        event.stopPropagation();
      },
      { signal },
    );
  }

  #onPress(event: PointerEvent): void {
    const place = this.#placeOf(event);
    if (event.button !== 0 || place === null) return;
    const { order } = this.table;
    const group = order.groupAt(place);
    const slot = order.slotAt(place);
    if (group !== null) this.actions.toggleGroup(group.key);
    else if (slot !== null) choose(this.table, slot, event);
  }

  #onDouble(event: MouseEvent): void {
    const place = this.#placeOf(event);
    const slot = place === null ? null : this.table.order.slotAt(place);
    if (slot !== null) this.actions.open(slot);
  }

  /** The menu is about the row it opens on: what menus read from rows of a list is put onto the box. */
  #onMenu(event: MouseEvent): void {
    const { scroll } = this.parts;
    const { order, selection } = this.table;
    const place = this.#placeOf(event);
    const slot = place === null ? null : order.slotAt(place);
    const row = place === null ? null : order.rowAt(place);
    if (slot === null || row === null) {
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    if (!selection.has(slot)) choose(this.table, slot, { shiftKey: false, ctrlKey: false, metaKey: false });
    scroll.dataset.phKind = 'task';
    scroll.dataset.phId = row[AT.id];
    scroll.dataset.phFinal = String(isFinal('task', row[AT.state]));
  }

  #placeOf(event: MouseEvent): number | null {
    const { scroll } = this.parts;
    const box = scroll.getBoundingClientRect();
    // The bars that scroll belong to the box, but not to a row.
    if (event.clientX - box.left > scroll.clientWidth || event.clientY - box.top > scroll.clientHeight) return null;
    const place = placeAt(event.clientY - box.top + scroll.scrollTop);
    return place < this.table.order.length ? place : null;
  }

  #reveal(place: number): void {
    const { scroll } = this.parts;
    const top = place * ROW_HEIGHT;
    if (top < scroll.scrollTop) scroll.scrollTop = top;
    else if (top + ROW_HEIGHT > scroll.scrollTop + scroll.clientHeight) {
      scroll.scrollTop = top + ROW_HEIGHT - scroll.clientHeight;
    }
  }

  #measure(): void {
    const { scroll, space } = this.parts;
    const { length } = this.table.order;
    space.style.height = `${length * ROW_HEIGHT}px`;
    space.style.width = `${this.#widths.reduce((sum, width) => sum + width, 0)}px`;
    scroll.setAttribute('aria-rowcount', String(length));
  }

  #sight(): Sight {
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = this.parts.scroll;
    return { left: scrollLeft, top: scrollTop, width: clientWidth, height: clientHeight };
  }

  #plan(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.#paint();
    });
  }

  #paint(): void {
    const { canvas, head, scroll } = this.parts;
    const sight = this.#sight();
    const context = canvas.getContext('2d', { alpha: false });
    // Nobody sees it: it is drawn when it has a size again.
    if (context === null || sight.width === 0 || sight.height === 0) return;
    const ratio = globalThis.devicePixelRatio || 1;
    const width = Math.round(sight.width * ratio);
    const height = Math.round(sight.height * ratio);
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
      canvas.style.width = `${sight.width}px`;
      canvas.style.height = `${sight.height}px`;
    }
    head.style.transform = `translateX(${-sight.left}px)`;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const { table, columns, groupName } = this;
    paintRows(context, { table, columns, widths: this.#widths, groupName, palette: this.#palette, sight });
    // What is drawn can be asked for, since a canvas says nothing by itself.
    scroll.dataset.phDrawn = String(Number(scroll.dataset.phDrawn ?? 0) + 1);
  }
}
