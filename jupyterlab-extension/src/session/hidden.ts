import type { Session } from '@pilothouse/sdk';
import type { Target } from '@pilothouse/sdk/internal';
import { BehaviorSubject, type Observable } from 'rxjs';

/** How long hiding can be taken back. */
export const UNDO_MS = 5000;

/**
 * Rows that a user took off the lists. They vanish at once; Pilothouse forgets them only when the time to undo is
 * over, so a page closed in between forgets nothing.
 */
export class Hidden {
  private readonly subject = new BehaviorSubject<ReadonlySet<string>>(new Set());
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();

  /** @param onError - told when Pilothouse could not forget it; the row is back by then. */
  constructor(
    private readonly session: Session,
    private readonly onError: (error: unknown) => void,
  ) {}

  get ids(): ReadonlySet<string> {
    return this.subject.value;
  }

  get ids$(): Observable<ReadonlySet<string>> {
    return this.subject;
  }

  /** Hides it now and forgets it after {@link UNDO_MS}, unless {@link undo} comes first. */
  hide(target: Target): void {
    this.change((ids) => ids.add(target.id));
    this.timers.set(
      target.id,
      setTimeout(() => {
        this.timers.delete(target.id);
        this.session.forget(target).catch((error: unknown) => {
          this.change((ids) => ids.delete(target.id));
          this.onError(error);
        });
      }, UNDO_MS),
    );
  }

  /** Brings it back; false when it is too late. */
  undo(id: string): boolean {
    const timer = this.timers.get(id);
    if (timer === undefined) return false;
    clearTimeout(timer);
    this.timers.delete(id);
    this.change((ids) => ids.delete(id));
    return true;
  }

  private change(edit: (ids: Set<string>) => void): void {
    const ids = new Set(this.subject.value);
    edit(ids);
    this.subject.next(ids);
  }
}
