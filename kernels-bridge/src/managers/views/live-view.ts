import type { Target, ViewBundle, ViewUpdate } from '@pilothouse/sdk/internal';
import type { BatchSource } from '../../streams/stream.js';
import { Wakeup } from '../../streams/wakeup.js';

/** Milliseconds without a renderer after which the kernel writes. */
const KERNEL_AFTER = 2_000;
/** Milliseconds after which the final bundle is sent again while nobody has confirmed it. */
const REPEAT = 5_000;

export type Role = 'renderer' | 'kernel';

/** The end of what a view shows. */
export interface ViewEnd {
  /** Whether it has ended, and can still be shown. */
  reached(): boolean;
  /** The final bundle; asked for only once the end is reached. */
  bundle(): ViewBundle;
}

/**
 * One output of one cell: who looks at it, and who writes its final bundle. That is the first renderer that came; with
 * none for a while, the kernel. Whoever leaves before confirming hands it to the next.
 */
export class LiveView {
  readonly target: Target;
  readonly #end: ViewEnd;
  readonly #participants: Participant[] = [];
  #confirmed: boolean;
  #kernelMayWrite = false;
  #kernelTimer: NodeJS.Timeout | undefined;
  #repeatTimer: NodeJS.Timeout | undefined;

  constructor(target: Target, confirmed: boolean, end: ViewEnd) {
    this.target = target;
    this.#confirmed = confirmed;
    this.#end = end;
  }

  get confirmed(): boolean {
    return this.#confirmed;
  }

  get isEmpty(): boolean {
    return this.#participants.length === 0;
  }

  /** Takes part until the source is closed. */
  join(role: Role, left: () => void): BatchSource<ViewUpdate> {
    const participant: Participant = new Participant(
      role,
      () => this.#update(participant),
      () => {
        this.#participants.splice(this.#participants.indexOf(participant), 1);
        this.changed();
        left();
      },
    );
    this.#participants.push(participant);
    this.changed();
    return participant;
  }

  confirm(): void {
    this.#confirmed = true;
    this.changed();
  }

  /** Somebody came or left, or the target has ended. */
  changed(): void {
    this.#watchForRenderers();
    for (const participant of this.#participants) participant.tell();
    clearTimeout(this.#repeatTimer);
    if (!this.#confirmed && this.#writer !== undefined && this.#end.reached()) {
      this.#repeatTimer = setTimeout(() => this.changed(), REPEAT).unref();
    }
  }

  get #renderers(): Participant[] {
    return this.#participants.filter(({ role }) => role === 'renderer');
  }

  get #writer(): Participant | undefined {
    const [renderer] = this.#renderers;
    return renderer ?? (this.#kernelMayWrite ? this.#participants[0] : undefined);
  }

  #watchForRenderers(): void {
    if (this.#renderers.length > 0 || this.isEmpty) {
      clearTimeout(this.#kernelTimer);
      this.#kernelTimer = undefined;
      this.#kernelMayWrite = false;
    } else if (!this.#kernelMayWrite) {
      this.#kernelTimer ??= setTimeout(() => {
        this.#kernelTimer = undefined;
        this.#kernelMayWrite = true;
        this.changed();
      }, KERNEL_AFTER).unref();
    }
  }

  #update(participant: Participant): ViewUpdate {
    const writer = participant === this.#writer;
    return {
      renderers: this.#renderers.length,
      writer,
      final: writer && !this.#confirmed && this.#end.reached() ? this.#end.bundle() : null,
      confirmed: this.#confirmed,
    };
  }
}

/** One end of a view; a batch is how things stand when it is asked for. */
class Participant implements BatchSource<ViewUpdate> {
  readonly role: Role;
  readonly #look: () => ViewUpdate;
  readonly #leave: () => void;
  readonly #wakeup = new Wakeup();
  #open = true;

  constructor(role: Role, look: () => ViewUpdate, leave: () => void) {
    this.role = role;
    this.#look = look;
    this.#leave = leave;
  }

  tell(): void {
    this.#wakeup.wake();
  }

  async next(signal: AbortSignal): Promise<ViewUpdate> {
    await this.#wakeup.wait(signal);
    return this.#look();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#leave();
  }
}
