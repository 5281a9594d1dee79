import { isFinal } from '../client/picture/final.js';
import type { Target, ViewUpdate } from '../schemas/index.js';
import { renderBundle } from '../views/bundle.js';
import type { MemoryBridge } from './memory-bridge.js';

interface Participant {
  readonly role: 'renderer' | 'kernel';
}

interface View {
  readonly participants: Set<Participant>;
  confirmed: boolean;
}

/** Who takes part in which view: the first renderer writes the final bundle, or the kernel where there is none. */
export class MemoryViews {
  readonly #bridge: MemoryBridge;
  readonly #views = new Map<string, View>();

  constructor(bridge: MemoryBridge) {
    this.#bridge = bridge;
  }

  confirm(viewId: string): void {
    this.#view(viewId).confirmed = true;
    this.#bridge.wake();
  }

  async *join(
    viewId: string,
    target: Target,
    role: Participant['role'],
    signal: AbortSignal | undefined,
  ): AsyncGenerator<ViewUpdate, void, void> {
    const view = this.#view(viewId);
    const self: Participant = { role };
    view.participants.add(self);
    this.#bridge.wake();
    try {
      let last = '';
      for (;;) {
        signal?.throwIfAborted();
        const update = this.#update(view, self, viewId, target);
        const text = JSON.stringify(update);
        if (text === last) {
          await this.#bridge.sleep(signal);
          continue;
        }
        last = text;
        yield update;
        if (update.confirmed) return;
      }
    } finally {
      view.participants.delete(self);
      this.#bridge.wake();
    }
  }

  #update(view: View, self: Participant, viewId: string, target: Target): ViewUpdate {
    const renderers = [...view.participants].filter(({ role }) => role === 'renderer');
    const writer = (renderers[0] ?? [...view.participants][0]) === self;
    const record = this.#bridge.find(target.kind, target.id);
    const final =
      writer && isFinal(record) && !view.confirmed ? renderBundle(this.#bridge.spoken(record), viewId) : null;
    return { renderers: renderers.length, writer, final, confirmed: view.confirmed };
  }

  #view(viewId: string): View {
    const known = this.#views.get(viewId);
    if (known) return known;
    const made: View = { participants: new Set(), confirmed: false };
    this.#views.set(viewId, made);
    return made;
  }
}
