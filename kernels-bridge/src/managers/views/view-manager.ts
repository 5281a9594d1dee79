import {
  type AnyRecord,
  PilothouseError,
  renderBundle,
  type Target,
  type ViewBundle,
  type ViewUpdate,
} from '@pilothouse/sdk/internal';
import type { Picture } from '../../picture/picture.js';
import type { BatchSource } from '../../streams/stream.js';
import type { AnswerManager } from '../answers/answer-manager.js';
import type { Names } from '../names.js';
import { findRef } from '../refs.js';
import { LiveView, type Role } from './live-view.js';

/** Views known to be in their notebooks, so that one that is opened again is not written again. */
const REMEMBERED = 10_000;

/** The live views in cells: who takes part in each, and who writes it down at the end. */
export class ViewManager {
  readonly #picture: Picture;
  readonly #names: Names;
  readonly #answers: AnswerManager;
  readonly #views = new Map<string, LiveView>();
  readonly #confirmed = new Set<string>();
  readonly #unsubscribe: () => void;

  constructor(picture: Picture, names: Names, answers: AnswerManager) {
    this.#picture = picture;
    this.#names = names;
    this.#answers = answers;
    this.#unsubscribe = picture.onChange(({ kind, id }) => {
      for (const view of this.#views.values()) {
        if (view.target.id !== id || view.target.kind !== kind) continue;
        if (this.#ended(view.target)) view.changed();
      }
    });
  }

  close(): void {
    this.#unsubscribe();
  }

  /**
   * Static HTML and text of a thing as it stands now.
   *
   * @throws PilothouseError when there is no such thing
   */
  render(viewId: string, target: Target): ViewBundle {
    return renderBundle(this.#record(target), viewId);
  }

  /**
   * Takes part in a view until the source is closed.
   *
   * @throws PilothouseError when its target is not there, or the view shows something else
   */
  join(viewId: string, target: Target, role: Role): BatchSource<ViewUpdate> {
    const { kind, id } = this.#record(target);
    let view = this.#views.get(viewId);
    if (view === undefined) {
      const shown = { kind, id };
      view = new LiveView(shown, this.#confirmed.has(viewId), {
        reached: () => this.#ended(shown),
        bundle: () => this.render(viewId, shown),
      });
      this.#views.set(viewId, view);
    } else if (view.target.id !== id || view.target.kind !== kind) {
      throw new PilothouseError('INVALID_DESCRIPTION', `the view ${viewId} shows ${view.target.id}`, {
        hint: 'Make a new view for each thing shown.',
        field: 'target',
      });
    }
    if (kind === 'answer' && !view.confirmed) this.#answers.viewOpened(id, viewId);
    const joined = view;
    const unwatch = this.#picture.alsoTell([id]);
    return joined.join(role, () => {
      unwatch();
      if (joined.isEmpty && this.#views.get(viewId) === joined) this.#views.delete(viewId);
    });
  }

  /** The final bundle is in the notebook. */
  confirm(viewId: string): void {
    const view = this.#views.get(viewId);
    this.#confirmed.add(viewId);
    for (const oldest of this.#confirmed) {
      if (this.#confirmed.size <= REMEMBERED) break;
      this.#confirmed.delete(oldest);
    }
    // The view may be gone already: a writer may leave right after its last word.
    this.#answers.viewConfirmed(viewId);
    view?.confirm();
  }

  /** Whether it is over; a thing that was taken off the lists has no final bundle any more. */
  #ended({ kind, id }: Target): boolean {
    const record = this.#picture.get(kind, id);
    return record !== undefined && record.endedAt !== null;
  }

  #record({ kind, id }: Target): AnyRecord {
    return kind === 'answer' ? this.#answers.get(id) : findRef(this.#picture, this.#names, kind, id);
  }
}
