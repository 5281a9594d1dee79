import { setTimeout as delay } from 'node:timers/promises';
import { type Contact, type ErrorData, type PilotRecord, pilotStates } from '@pilothouse/sdk/internal';
import type { Context } from '../context.js';

/** Milliseconds between two looks at a pilot that is not heard of. */
const LOOK_MS = 2000;
/** A look may fall into a restart of the warden; so many in a row do not. */
const LOOKS = 2;

/**
 * Says which pilots are heard of, and looks after those that are not: lost contact is no failure, and a pilot fails only
 * when it is known for sure that nothing of it runs any more. Where work runs on and everything that looked after it was
 * killed, as by a system short of memory, that is started again.
 */
export class ContactWatch {
  readonly #looking = new Set<string>();
  readonly #stop = new AbortController();

  /** @param failed - called after a pilot has been written off */
  constructor(
    private readonly context: Context,
    private readonly failed: (pilot: string) => void,
  ) {}

  /** The link hears a pilot again, or no longer. */
  change(pilot: string, lost: boolean): void {
    this.#mark(pilot, { lost, since: this.context.clock.iso() });
    if (!lost || this.#looking.has(pilot)) return;
    this.#looking.add(pilot);
    this.#look(pilot)
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted) this.context.log.error(`pilot ${pilot} could not be examined`, error);
      })
      .finally(() => this.#looking.delete(pilot));
  }

  close(): void {
    this.#stop.abort();
  }

  async #look(id: string): Promise<void> {
    const { context } = this;
    let gone = 0;
    let unattended = 0;
    for (;;) {
      const pilot = context.picture.get('pilot', id);
      if (pilot === undefined || pilotStates.isFinal(pilot.state) || !pilot.contact.lost) return;
      const { verdict, evidence } = await context.engines.get(pilot.engine).examine(id);
      gone = verdict === 'gone' ? gone + 1 : 0;
      unattended = verdict === 'unattended' ? unattended + 1 : 0;
      // Its agent may have finished everything, and only the word of it did not reach us.
      await context.intake.readFiles(id);
      const now = context.picture.get('pilot', id);
      if (now !== undefined && pilotStates.isFinal(now.state)) return this.failed(id);
      if (gone >= LOOKS) return this.#writeOff(id, evidence);
      if (unattended >= LOOKS) {
        unattended = 0;
        await this.#attend(pilot, evidence);
      }
      await delay(LOOK_MS, undefined, { signal: this.#stop.signal, ref: false });
    }
  }

  /** What cannot be started now is tried again with the next looks. */
  async #attend(pilot: PilotRecord, evidence: string): Promise<void> {
    const { engines, log } = this.context;
    log.warn(`pilot "${pilot.name}" (${pilot.id}) is looked after again: ${evidence}`);
    await engines
      .get(pilot.engine)
      .attend(pilot.id)
      .catch((error: unknown) => log.error(`what looks after pilot ${pilot.id} could not be started again`, error));
  }

  async #writeOff(id: string, evidence: string): Promise<void> {
    const pilot = this.context.picture.get('pilot', id);
    const error: ErrorData = {
      code: 'NODE_LOST',
      message: `pilot "${pilot?.name ?? id}" is gone: nothing of it runs any more`,
      hint: 'Start a new pilot and submit again what had not ended.',
      retryable: true,
      ids: { pilot: id },
      evidence,
    };
    await this.context.events.append([{ type: 'pilot.state', id, state: 'FAILED', reason: null, error }]);
    this.failed(id);
  }

  #mark(id: string, contact: Contact): void {
    const { picture } = this.context;
    picture.update('pilot', id, (pilot) =>
      pilotStates.isFinal(pilot.state) || pilot.contact.lost === contact.lost ? null : { contact },
    );
    // Whether a task can be seen is what its pilot says; those that are shown by themselves are told anew.
    const { tasks } = picture;
    for (const slot of tasks.singles.values()) {
      if (tasks.pilotOf(slot) === id && !tasks.isFinal(slot)) tasks.touch(slot);
    }
    for (const service of [...picture.servicesOn(id)]) {
      picture.update('service', service, (record) =>
        record.endedAt !== null || record.contact.lost === contact.lost
          ? null
          : { contact, instances: record.instances.map((instance) => ({ ...instance, contact })) },
      );
    }
  }
}
