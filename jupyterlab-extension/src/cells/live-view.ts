import type { AnyHandle } from '@pilothouse/sdk';
import { type AnyRecord, PilothouseError, type View, type ViewBundle } from '@pilothouse/sdk/internal';
import { BehaviorSubject, type Observable, Subscription } from 'rxjs';
import { isFinal } from '../format/state.js';
import type { AnyAnswer } from '../session/ask.js';
import type { IPilothouse } from '../tokens.js';

/** How long to wait before following again, where following broke off without the connection. */
const AGAIN_MS = 2000;

/** What a cell shows at the moment. */
export interface ViewState {
  readonly record: AnyRecord;
  /** Text of an answer so far. */
  readonly text: string;
  /**
   * `live` follows Pilothouse; `final` has ended; `offline` shows the last known state until there is a connection;
   * `unknown` shows it for good, because Pilothouse no longer knows the thing.
   */
  readonly mode: 'live' | 'final' | 'offline' | 'unknown';
}

/**
 * Follows what one cell output shows. Live state stays in the page; the notebook is written once, with the final
 * bundle, by the one renderer that Pilothouse names for it.
 */
export class LiveView {
  private readonly subject: BehaviorSubject<ViewState>;
  private readonly subscriptions = new Subscription();
  /** What belongs to the handle; made anew when following broke off. */
  private following = new Subscription();
  private handle: AnyHandle | null = null;
  private opening = false;
  /** Whether anything is left to follow: until the end is in the notebook, or the thing is gone. */
  private wanted: boolean;
  /** Whether the final bundle went into the notebook from here. */
  private written = false;
  private closed = false;

  /**
   * @param write - puts the final bundle into the notebook
   * @param trusted - untrusted notebooks only read: they neither act nor write
   */
  constructor(
    private readonly app: IPilothouse,
    private readonly view: View,
    private readonly trusted: boolean,
    private readonly write: (bundle: ViewBundle) => void,
  ) {
    const { snapshot } = view;
    const final = isFinal(snapshot.kind, snapshot.state);
    // A question that has not been taken yet has no id; the kernel shows it again when it has one.
    this.wanted = !final && view.target !== '';
    this.subject = new BehaviorSubject<ViewState>({
      record: snapshot,
      text: snapshot.kind === 'answer' ? (snapshot.text ?? '') : '',
      mode: final ? 'final' : view.target === '' ? 'live' : 'offline',
    });
    if (this.wanted) this.subscriptions.add(app.session.connection$.subscribe(({ state }) => this.onConnection(state)));
  }

  get value(): ViewState {
    return this.subject.value;
  }

  get value$(): Observable<ViewState> {
    return this.subject;
  }

  /** The live answer, where that is what the cell shows. */
  get answer(): AnyAnswer | null {
    return this.handle?.kind === 'answer' ? this.handle : null;
  }

  /** The kernel has put a newer state into the notebook; it counts where we know nothing newer ourselves. */
  accept(snapshot: AnyRecord): void {
    if (isFinal(snapshot.kind, snapshot.state) || this.value.mode !== 'live') {
      const final = isFinal(snapshot.kind, snapshot.state);
      this.patch({
        record: snapshot,
        ...(snapshot.kind === 'answer' && snapshot.text !== null ? { text: snapshot.text } : {}),
        ...(final ? { mode: 'final' } : {}),
      });
    }
  }

  close(): void {
    this.closed = true;
    this.subscriptions.unsubscribe();
    this.release();
  }

  private onConnection(state: string): void {
    if (state === 'CONNECTED') {
      if (this.handle === null) void this.open();
      else if (this.value.mode === 'offline') this.patch({ mode: 'live' });
    } else if (this.value.mode === 'live') this.patch({ mode: 'offline' });
  }

  private release(): void {
    this.following.unsubscribe();
    this.following = new Subscription();
    this.handle?.close();
    this.handle = null;
  }

  private async open(): Promise<void> {
    if (this.opening || !this.wanted || this.handle !== null) return;
    this.opening = true;
    try {
      const handle = await find(this.app, this.view);
      if (this.closed) {
        handle.close();
        return;
      }
      this.handle = handle;
      this.follow(handle);
      if (this.trusted) this.join();
      else if (isFinal(handle.kind, handle.state)) this.wanted = false;
    } catch (error) {
      this.onFailure(error);
    } finally {
      this.opening = false;
    }
  }

  private follow(handle: AnyHandle): void {
    this.patch({ mode: 'live' });
    const take = (record: AnyRecord): void => {
      const final = isFinal(record.kind, record.state);
      this.patch({
        record,
        ...(record.kind === 'answer' && record.text !== null ? { text: record.text } : {}),
        mode: final ? 'final' : this.value.mode,
      });
    };
    switch (handle.kind) {
      case 'answer':
        this.following.add(
          handle.text$.subscribe({
            next: (text) => this.patch({ text }),
            // How an answer failed is in its record, and the text so far stays. Otherwise only the reading broke off.
            error: (error: unknown) => {
              if (!isFinal('answer', handle.state)) this.onFailure(error);
            },
          }),
        );
        this.following.add(handle.record$.subscribe(take));
        break;
      case 'pilot':
        this.following.add(handle.record$.subscribe(take));
        break;
      case 'service':
        this.following.add(handle.record$.subscribe(take));
        break;
      case 'task':
        this.following.add(handle.record$.subscribe(take));
        break;
      case 'set':
        this.following.add(handle.record$.subscribe(take));
        break;
      case 'batch':
        this.following.add(handle.record$.subscribe(take));
        break;
    }
  }

  /** Takes part in the view: the kernel then leaves the drawing to us, and one renderer writes the end. */
  private join(): void {
    const { viewId, kind, target } = this.view;
    const { views } = this.app.session;
    let first = true;
    this.following.add(
      views.join(viewId, { kind, id: target }, 'renderer').subscribe({
        next: ({ writer, final, confirmed }) => {
          // Confirmed before we came, and yet not in our notebook: the page that wrote it was left without being saved.
          if (first && confirmed && !this.written) this.writeAnew();
          first = false;
          if (confirmed) this.wanted = false;
          if (!writer || final === null || confirmed) return;
          if (!this.written) this.write(final);
          this.written = true;
          views.confirm(viewId).catch((error: unknown) => {
            // The bridge asks again for as long as it is not confirmed.
            console.warn('Pilothouse could not be told that the answer is in the notebook; it will ask again.', error);
          });
        },
        error: (error: unknown) => this.onFailure(error),
      }),
    );
  }

  private writeAnew(): void {
    const { viewId, kind, target } = this.view;
    this.app.session.views.render(viewId, { kind, id: target }).then(
      (bundle) => {
        if (!this.closed && !this.written) this.write(bundle);
        this.written = true;
      },
      (error: unknown) => this.onFailure(error),
    );
  }

  private onFailure(error: unknown): void {
    const gone = error instanceof PilothouseError && error.code.endsWith('_NOT_FOUND');
    if (gone) this.wanted = false;
    if (gone && this.value.mode !== 'final') this.patch({ mode: 'unknown' });
    if (gone) return;
    console.warn('Pilothouse lost sight of a cell; it is followed again as soon as there is a connection.', error);
    this.release();
    if (this.value.mode === 'live') this.patch({ mode: 'offline' });
    // While connected nothing else would begin it again.
    if (this.app.session.connection.state === 'CONNECTED') this.openLater();
  }

  private openLater(): void {
    const timer = setTimeout(() => {
      void this.open();
    }, AGAIN_MS);
    this.subscriptions.add(() => clearTimeout(timer));
  }

  private patch(change: Partial<ViewState>): void {
    if (!this.closed) this.subject.next({ ...this.subject.value, ...change });
  }
}

function find({ session }: IPilothouse, { kind, target }: View): Promise<AnyHandle> {
  switch (kind) {
    case 'answer':
      return session.answers.get(target);
    case 'pilot':
      return session.pilots.get(target);
    case 'service':
      return session.services.get(target);
    case 'task':
      return session.tasks.get(target);
    case 'set':
      return session.tasks.set(target);
    case 'batch':
      return session.batches.get(target);
  }
}
