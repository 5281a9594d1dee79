import { Subscription } from 'rxjs';
import { accessOf } from '../client/handles/access.js';
import { isFinal } from '../client/picture/final.js';
import type { AnyHandle } from '../client/types.js';
import type { AnyRecord, ViewBundle, ViewUpdate } from '../schemas/index.js';
import { renderBundle } from '../views/bundle.js';
import type { Display } from './display.js';

/** After this long without a renderer nobody but the kernel will draw. */
const RENDERER_MS = 2_000;
const UPDATE_MS = 250;

/**
 * The kernel's side of one live view. Where a renderer joins, it draws and the kernel rests; where none does, the kernel
 * updates the cell by its display id, at most four times a second. Who writes the final bundle is the bridge's to say.
 */
export class KernelView {
  readonly #handle: AnyHandle;
  readonly #display: Display;
  readonly #viewId: string;
  readonly #subscriptions = new Subscription();
  readonly #drawing = new Subscription();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #grace: ReturnType<typeof setTimeout> | null = null;
  #lastDrawn = Number.NEGATIVE_INFINITY;
  /** Once it rests it never draws by itself again. */
  #state: 'waiting' | 'drawing' | 'resting' = 'waiting';
  #queue: Promise<void> = Promise.resolve();
  /** The last update did not reach the notebook. */
  #broken = false;
  #finish: () => void = () => undefined;

  /** Resolves when the last state is in the notebook, or the view is of no use any more; never rejects. */
  readonly finished: Promise<void>;

  constructor(handle: AnyHandle, display: Display, viewId: string) {
    this.#handle = handle;
    this.#display = display;
    this.#viewId = viewId;
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
    // At once and not in turn, so that it stands where the cell says it.
    this.#queue = this.#guarded(this.#display.show(this.#bundle(), viewId, false));
    void this.#start();
  }

  async #start(): Promise<void> {
    const { views, identified } = accessOf(this.#handle);
    const unknown = this.#handle.id === '';
    await identified();
    const { id, kind } = this.#handle;
    // What the cell shows so far has no id to join by; a question that was refused never gets one.
    if (unknown) this.#put(this.#bundle(), true);
    if (id === '') {
      this.#end();
      return;
    }
    this.#grace = setTimeout(() => this.#draw(), RENDERER_MS);
    this.#subscriptions.add(
      views.join(this.#viewId, { kind, id }, 'kernel').subscribe({
        next: (update) => this.#told(update),
        // Nobody to agree with about the view: then the kernel draws it to its end.
        error: () => void this.#drawAlone(),
        complete: () => this.#end(),
      }),
    );
  }

  #told({ renderers, final, confirmed }: ViewUpdate): void {
    if (renderers > 0) this.#rest();
    if (final) void this.#write(final);
    if (confirmed) this.#end();
  }

  async #write(final: ViewBundle): Promise<void> {
    this.#rest();
    this.#put(final, true);
    await this.#queue;
    // The kernel cannot show anything any more: not confirmed, the bundle goes to whoever joins next.
    if (this.#broken) {
      this.#end();
      return;
    }
    try {
      await accessOf(this.#handle).views.confirm(this.#viewId);
    } catch {
      // Unconfirmed, the bridge offers the final bundle again as long as the stream is open.
      return;
    }
    this.#end();
  }

  /** Never rejects: what the thing came to is in its record. */
  async #drawAlone(): Promise<void> {
    this.#draw();
    await settled(this.#handle);
    this.#rest();
    this.#put(this.#bundle(), true);
    this.#end();
  }

  /** Draws from now on, on every change. */
  #draw(): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'drawing';
    this.#drawing.add(watchRecord(this.#handle, () => this.#changed()));
    if (this.#handle.kind === 'answer') {
      // A failure shows as the record's state.
      this.#drawing.add(this.#handle.text$.subscribe({ next: () => this.#changed(), error: () => undefined }));
    }
  }

  /** Leaves the drawing to the renderer. */
  #rest(): void {
    this.#drawing.unsubscribe();
    if (this.#grace !== null) clearTimeout(this.#grace);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#grace = null;
    this.#timer = null;
    this.#state = 'resting';
  }

  #changed(): void {
    if (this.#timer !== null) return;
    const wait = Math.max(0, this.#lastDrawn + UPDATE_MS - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#lastDrawn = performance.now();
      this.#put(this.#bundle(), true);
    }, wait);
  }

  #bundle(): ViewBundle {
    return renderBundle(recordWithText(this.#handle, this.#state === 'drawing'), this.#viewId);
  }

  #put(bundle: ViewBundle, update: boolean): void {
    this.#queue = this.#queue.then(() => this.#guarded(this.#display.show(bundle, this.#viewId, update)));
  }

  /** Never throws: this runs in timers, where Deno would stall the next cell. */
  async #guarded(shown: Promise<void>): Promise<void> {
    try {
      await shown;
      this.#broken = false;
    } catch (error) {
      if (!this.#broken) console.warn('Pilothouse could not update a cell:', error);
      this.#broken = true;
    }
  }

  #end(): void {
    this.#rest();
    this.#subscriptions.unsubscribe();
    void this.#queue.then(() => this.#finish());
  }
}

/** Resolves at the end of the thing, with all of its text read; never rejects. */
export async function settled(handle: AnyHandle): Promise<void> {
  const end: Promise<unknown> = handle.kind === 'answer' ? handle.result() : handle.done();
  await end.catch(() => undefined);
}

function watchRecord(handle: AnyHandle, changed: () => void): Subscription {
  switch (handle.kind) {
    case 'pilot':
      return handle.record$.subscribe(changed);
    case 'task':
      return handle.record$.subscribe(changed);
    case 'set':
      return handle.record$.subscribe(changed);
    case 'service':
      return handle.record$.subscribe(changed);
    case 'answer':
      return handle.record$.subscribe(changed);
    case 'batch':
      return handle.record$.subscribe(changed);
  }
}

/** The record with the text so far, where the kernel reads the text at all. */
export function recordWithText(handle: AnyHandle, read: boolean): AnyRecord {
  if (handle.kind !== 'answer') return handle.record;
  const { record } = handle;
  if (record.text !== null || !(read || isFinal(record)) || record.id === '') return record;
  return { ...record, text: handle.text };
}
