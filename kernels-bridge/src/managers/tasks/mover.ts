import { pilotStates } from '@pilothouse/sdk/internal';
import type { Context } from '../../context.js';
import { RETURNS } from '../../picture/apply-journal.js';
import { canMove, settlePilot } from '../../picture/settle.js';
import { placeOf } from '../../picture/tasks/columns.js';
import { phaseOf } from '../../picture/tasks/facts.js';
import { askedFor, keptTask, taskText } from '../../picture/tasks/task-record.js';
import type { TaskTable } from '../../picture/tasks/task-table.js';
import { demandOf, fits } from './demand.js';
import type { Dependencies } from './dependencies.js';
import type { Placement, Target } from './placement.js';
import type { Draft, Piece, TaskWriter } from './task-writer.js';

/** Tasks that are moved with one record. */
const MOVED = 1000;

/** Finds a new place for tasks that have none: given back by their agent, left by a pilot that has ended, or never placed. */
export class Mover {
  readonly #tasks: TaskTable;
  readonly #returned = new Set<number>();
  #moving: Promise<void> = Promise.resolve();

  constructor(
    private readonly context: Context,
    private readonly placement: Placement,
    private readonly writer: TaskWriter,
    private readonly dependencies: Dependencies,
  ) {
    this.#tasks = context.picture.tasks;
  }

  /** An agent has given a task back. Several come together. */
  returned(slot: number): void {
    if (this.#returned.size === 0) {
      setImmediate(() => {
        const slots = [...this.#returned];
        this.#returned.clear();
        this.#move(() => slots.filter((one) => this.#isHomeless(one)));
      });
    }
    this.#returned.add(slot);
  }

  /** A pilot has ended: what can go on elsewhere does. */
  pilotEnded(pilot: string): void {
    const { picture, clock } = this.context;
    settlePilot(picture, pilot, clock.iso());
    this.#move(() => this.#homeless());
  }

  /** A pilot takes work now: what waits for one goes there, and what is on offer is offered to it too. */
  pilotCame(pilot: string): void {
    this.#move(() => this.#homeless());
    this.#moving = this.#moving.then(() => this.#offerAlso(pilot)).catch((error: unknown) => this.#failed(error));
  }

  /** After a start: whatever has no place gets one. */
  adopt(): Promise<void> {
    this.dependencies.scan();
    this.#move(() => this.#homeless());
    return this.#moving;
  }

  /** Resolves once all that has been asked so far is placed. */
  async settled(): Promise<void> {
    for (let last: unknown; last !== this.#moving; ) {
      last = this.#moving;
      await this.#moving;
    }
  }

  #move(find: () => number[]): void {
    this.#moving = this.#moving.then(() => this.#place(find())).catch((error: unknown) => this.#failed(error));
  }

  #failed(error: unknown): void {
    this.context.log.error('tasks without a pilot could not be given to another', error);
  }

  #homeless(): number[] {
    const slots: number[] = [];
    for (const slot of this.#tasks.slots()) if (!this.#tasks.isFinal(slot) && this.#isHomeless(slot)) slots.push(slot);
    return slots;
  }

  /** Whether nobody has a task any more who could run it. */
  #isHomeless(slot: number): boolean {
    const tasks = this.#tasks;
    if (tasks.isFinal(slot)) return false;
    const pilot = tasks.pilotOf(slot);
    if (pilot !== null) {
      const record = this.context.picture.get('pilot', pilot);
      if (record === undefined) return true;
      if (pilotStates.isFinal(record.state)) return canMove(tasks, slot, record);
      return phaseOf(tasks.stateNumber(slot)) === 'waiting' && RETURNS.has(tasks.extra(slot).reason?.code ?? '');
    }
    const offer = tasks.offerOf(slot);
    return offer === undefined || !offer.pilots.some((id) => this.#isLive(id));
  }

  #isLive(pilot: string): boolean {
    const state = this.context.picture.get('pilot', pilot)?.state;
    return state !== undefined && !pilotStates.isFinal(state);
  }

  async #place(slots: readonly number[]): Promise<void> {
    if (slots.length === 0) return;
    const live = this.placement.live();
    const groups = new Map<string, { target: Target; slots: number[] }>();
    for (const slot of slots) {
      const target = this.placement.again(askedFor(this.#tasks, slot), this.#without(slot, live));
      const nowhere = target.pilot === null && target.candidates.length === 0;
      // What waits already without a pilot goes on doing so.
      if (nowhere && this.#tasks.pilotOf(slot) === null && this.#tasks.offerOf(slot) === undefined) continue;
      const { group, set } = this.#of(slot);
      const key = `${group}|${set}|${target.pilot}|${target.candidates.join()}`;
      const known = groups.get(key);
      if (known === undefined) groups.set(key, { target, slots: [slot] });
      else known.slots.push(slot);
    }
    for (const { target, slots: ones } of groups.values()) {
      for (let start = 0; start < ones.length; start += MOVED) {
        await this.#placeTogether(target, ones.slice(start, start + MOVED));
      }
    }
    this.dependencies.scan();
  }

  /** Not the pilot that has just given it back. */
  #without(slot: number, live: ReturnType<Placement['live']>): ReturnType<Placement['live']> {
    const pilot = this.#tasks.pilotOf(slot);
    return pilot === null ? live : live.filter(({ id }) => id !== pilot);
  }

  async #placeTogether(target: Target, slots: readonly number[]): Promise<void> {
    const { events } = this.context;
    const drafts = slots.map((slot) => this.#draft(slot, target));
    const pieces: Piece[] =
      target.candidates.length === 0
        ? [{ drafts, pilot: target.pilot, free: true, offer: undefined }]
        : [...this.placement.offers(drafts, target.candidates)].map(({ offer, items }) => {
            return { drafts: items, pilot: null, free: true, offer };
          });
    await events.append(
      pieces.map(({ drafts: ones, pilot, offer }) => ({
        type: 'tasks.placed' as const,
        tasks: ones.map(({ task }) => task.id),
        pilot,
        ...(offer === undefined ? {} : { offer: { id: offer.id, pilots: [...offer.pilots] } }),
        attempts: ones.map(({ task }) => task.attempts ?? 0),
      })),
    );
    await this.#spool(slots[0], pieces);
  }

  async #spool(slot: number | undefined, pieces: readonly Piece[]): Promise<void> {
    if (slot === undefined) return;
    const group = this.#tasks.groups.get(this.#of(slot).group);
    if (group !== undefined) await this.writer.spool({ set: this.#tasks.setOf(slot)?.id ?? null, group }, pieces);
  }

  /** What is on offer to others goes into the spool of a new pilot as well: the first to take it has it. */
  async #offerAlso(pilot: string): Promise<void> {
    const record = this.context.picture.get('pilot', pilot);
    if (record === undefined || pilotStates.isFinal(record.state)) return;
    const open = new Map<string, number[]>();
    for (const slot of this.#tasks.slots()) {
      const offer = this.#tasks.pilotOf(slot) === null ? this.#tasks.offerOf(slot) : undefined;
      if (offer === undefined || offer.pilots.includes(pilot) || this.#tasks.isFinal(slot)) continue;
      const slots = open.get(offer.id);
      if (slots === undefined) open.set(offer.id, [slot]);
      else slots.push(slot);
    }
    for (const slots of open.values()) {
      if (!slots.every((slot) => fits(demandOf(askedFor(this.#tasks, slot)), record))) continue;
      await this.#alsoTo(pilot, slots);
    }
  }

  async #alsoTo(pilot: string, slots: readonly number[]): Promise<void> {
    const [first] = slots;
    const offer = first === undefined ? undefined : this.#tasks.offerOf(first);
    if (first === undefined || offer === undefined) return;
    const wider = { id: offer.id, pilots: [...offer.pilots, pilot] };
    const drafts = slots.map((slot) => this.#draft(slot, { pilot: null, free: true, candidates: wider.pilots }));
    await this.context.events.append([
      { type: 'tasks.placed', tasks: drafts.map(({ task }) => task.id), pilot: null, offer: wider },
    ]);
    await this.#spool(first, [{ drafts, pilot: null, free: true, offer: { id: offer.id, pilots: [pilot] } }]);
  }

  #of(slot: number): { group: number; set: string | undefined } {
    const group = this.#tasks.chunk(slot).group[placeOf(slot)] ?? 0;
    return { group, set: this.#tasks.setOf(slot)?.id };
  }

  #draft(slot: number, target: Target): Draft {
    const attempt = this.#tasks.chunk(slot).attempt[placeOf(slot)] ?? 1;
    const kept = keptTask(this.#tasks, slot);
    const task = { ...kept, id: this.#tasks.idOf(slot), ...(attempt > 1 ? { attempts: attempt - 1 } : {}) };
    return { task, text: taskText(task), target };
  }
}
