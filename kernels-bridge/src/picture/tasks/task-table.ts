import { type Placement, type TaskState, taskStates } from '@pilothouse/sdk/internal';
import { ChangeRing } from './change-ring.js';
import { CHUNK_TASKS, Chunk, chunkOf, FLAG, placeOf } from './columns.js';
import {
  type Extra,
  isFinalNumber,
  phaseOf,
  reaches,
  STATE_NUMBERS,
  type SubmittedTask,
  stateOf,
  type TaskFacts,
  type TaskGroup,
  timeColumn,
} from './facts.js';
import { Interned } from './interned.js';
import { type CachedChunk, type CachedSet, type CachedShared, type ChunkRest, chunkFrom, parseRest } from './table-cache.js';
import { LiveSet } from './task-set-state.js';
import { Texts } from './texts.js';
import { Timelines } from './timelines.js';

/** What the table needs of the picture it is part of. */
export interface Ledger {
  /** A number for a change. */
  next(): number;
  /** A task that is shown by itself has changed. */
  task(id: string, seq: number): void;
  /** A set has changed: told soon, however often. */
  set(set: LiveSet): void;
  /** Ids of tasks of sets that somebody looks at. */
  readonly watched: ReadonlyMap<string, unknown>;
}

/** An offer of tasks to several pilots. */
export interface Offer {
  readonly id: string;
  readonly pilots: readonly string[];
}

/** What tasks of one submission have in common. */
export interface Submission {
  readonly group: number;
  readonly set: LiveSet | undefined;
  readonly pilot: string | null;
  readonly offer: Offer | undefined;
}

const NO_EXTRA: Extra = Object.freeze({});

/**
 * Every task the bridge knows, in columns: a task is a slot, and becomes a record only when somebody asks for it. Those of
 * sets have no entry of their own anywhere else: their id is their set's with their number.
 */
export class TaskTable {
  readonly pilots = new Interned<string>((id) => id);
  readonly groups = new Interned<TaskGroup>((group) => JSON.stringify(group));
  readonly files = new Interned<string>((file) => file);
  readonly signals = new Interned<string>((signal) => signal);
  readonly placements = new Interned<Placement>((placement) => JSON.stringify(placement));
  readonly offers = new Interned<Offer>(({ id, pilots }) => `${id} ${pilots.join()}`);
  readonly texts = new Texts();
  readonly changes = new ChangeRing();
  readonly timelines = new Timelines();
  readonly #chunks: Chunk[] = [];
  readonly #extras: (Extra | undefined)[][] = [];
  readonly #singles = new Map<string, number>();
  readonly #names = new Map<number, string>();
  readonly #sets = new Map<string, LiveSet>();
  readonly #setNumbers: (LiveSet | undefined)[] = [];
  readonly #free: number[] = [];
  /** Slots that have changed since the cache was written, by chunk. */
  readonly dirty = new Set<number>();
  #end = 0;

  constructor(private readonly ledger: Ledger) {}

  /** One after the last slot in use. */
  get end(): number {
    return this.#end;
  }

  get count(): number {
    return this.#end - this.#free.length;
  }

  get singles(): ReadonlyMap<string, number> {
    return this.#singles;
  }

  get sets(): ReadonlyMap<string, LiveSet> {
    return this.#sets;
  }

  set(id: string): LiveSet | undefined {
    return this.#sets.get(id);
  }

  setOf(slot: number): LiveSet | undefined {
    const number = this.chunk(slot).set[placeOf(slot)] ?? 0;
    return number === 0 ? undefined : this.#setNumbers[number - 1];
  }

  /** The slot of a task; undefined when there is none of that id. */
  find(id: string): number | undefined {
    const dot = id.lastIndexOf('.');
    if (dot === -1) return this.#singles.get(id);
    const number = Number(id.slice(dot + 1));
    return Number.isInteger(number) ? this.#sets.get(id.slice(0, dot))?.slots.get(number) : undefined;
  }

  idOf(slot: number): string {
    const set = this.setOf(slot);
    return set === undefined ? (this.#names.get(slot) ?? '') : `${set.id}.${this.chunk(slot).number[placeOf(slot)]}`;
  }

  chunk(slot: number): Chunk {
    const chunk = this.#chunks[chunkOf(slot)];
    if (chunk === undefined) throw new RangeError(`no slot ${slot}`);
    return chunk;
  }

  /** Whether there is a task in a slot. */
  taken(slot: number): boolean {
    return slot < this.#end && this.stateNumber(slot) >= 0;
  }

  stateNumber(slot: number): number {
    return (this.chunk(slot).state[placeOf(slot)] ?? 0) - 1;
  }

  state(slot: number): TaskState {
    return stateOf(this.stateNumber(slot));
  }

  /** milliseconds since 1970 */
  createdAt(slot: number): number {
    return this.chunk(slot).created[placeOf(slot)] ?? 0;
  }

  seqOf(slot: number): number {
    return this.chunk(slot).seq[placeOf(slot)] ?? 0;
  }

  isFinal(slot: number): boolean {
    return isFinalNumber(this.stateNumber(slot));
  }

  has(slot: number, flag: number): boolean {
    return ((this.chunk(slot).flags[placeOf(slot)] ?? 0) & flag) !== 0;
  }

  pilotOf(slot: number): string | null {
    return this.pilots.get(this.chunk(slot).pilot[placeOf(slot)] ?? 0) ?? null;
  }

  offerOf(slot: number): Offer | undefined {
    return this.offers.get(this.chunk(slot).offer[placeOf(slot)] ?? 0);
  }

  extra(slot: number): Readonly<Extra> {
    return this.#extras[chunkOf(slot)]?.[placeOf(slot)] ?? NO_EXTRA;
  }

  /** The text of a task as it was submitted: name, entry, ids of services and of tasks before it. */
  text(slot: number): string {
    const chunk = this.chunk(slot);
    const place = placeOf(slot);
    return this.texts.get(chunk.arena[place] ?? 0, chunk.start[place] ?? 0, chunk.length[place] ?? 0);
  }

  /** All slots in use, the oldest first. */
  *slots(): Generator<number, void, void> {
    for (let slot = 0; slot < this.#end; slot += 1) if (this.stateNumber(slot) >= 0) yield slot;
  }

  /** Slots of the tasks bound to a pilot. */
  *on(pilot: string): Generator<number, void, void> {
    const number = this.pilots.find(pilot);
    if (number === undefined) return;
    for (let index = 0; index < this.#chunks.length; index += 1) {
      const column = this.#chunks[index]?.pilot;
      if (column === undefined) continue;
      for (let place = 0; place < CHUNK_TASKS; place += 1) {
        const slot = index * CHUNK_TASKS + place;
        if (column[place] === number && this.taken(slot)) yield slot;
      }
    }
  }

  openSet(facts: LiveSet['facts']): LiveSet {
    const { description, env, cwd, owner } = facts;
    const group = this.groups.number({ template: description.template, env, cwd, owner });
    const set = new LiveSet(facts, this.#setNumbers.length, group);
    this.#setNumbers.push(set);
    this.#sets.set(facts.id, set);
    this.ledger.set(set);
    return set;
  }

  /**
   * Takes a task in.
   *
   * @param text - of the task as it is spooled, without its id: `"name":…}`
   * @param at - milliseconds since 1970
   */
  add(task: SubmittedTask, text: string, { group, set, pilot, offer }: Submission, at: number): number {
    const slot = this.#take();
    const chunk = this.chunk(slot);
    const place = placeOf(slot);
    const where = this.texts.add(text);
    chunk.arena[place] = where.arena;
    chunk.start[place] = where.start;
    chunk.length[place] = where.length;
    chunk.state[place] = 1;
    chunk.created[place] = at;
    chunk.group[place] = group;
    chunk.attempt[place] = 1;
    chunk.pilot[place] = pilot === null ? 0 : this.pilots.number(pilot);
    chunk.offer[place] = offer === undefined ? 0 : this.offers.number(offer);
    chunk.flags[place] = (task.named === true ? FLAG.named : 0) | (task.after === undefined ? 0 : FLAG.after);
    if (set === undefined) {
      this.#singles.set(task.id, slot);
      this.#names.set(slot, task.id);
    } else {
      chunk.set[place] = set.number + 1;
      chunk.number[place] = set.slots.length;
      set.added(slot);
    }
    if (task.retryOf !== undefined) this.edit(slot).retryOf = task.retryOf;
    this.touch(slot);
    return slot;
  }

  /** What most tasks do not have, to be changed; call `touch` after it. */
  edit(slot: number): Extra {
    const extras = this.#extras[chunkOf(slot)];
    if (extras === undefined) throw new RangeError(`no slot ${slot}`);
    const known = extras[placeOf(slot)];
    if (known !== undefined) return known;
    const made: Extra = {};
    extras[placeOf(slot)] = made;
    return made;
  }

  bind(slot: number, pilot: string | null, offer?: Offer): void {
    const chunk = this.chunk(slot);
    chunk.pilot[placeOf(slot)] = pilot === null ? 0 : this.pilots.number(pilot);
    chunk.offer[placeOf(slot)] = offer === undefined ? 0 : this.offers.number(offer);
    this.touch(slot);
  }

  flag(slot: number, flag: number, on: boolean): void {
    const { flags } = this.chunk(slot);
    const place = placeOf(slot);
    flags[place] = on ? (flags[place] ?? 0) | flag : (flags[place] ?? 0) & ~flag;
    this.touch(slot);
  }

  /**
   * Lets news of a task take effect; a state that cannot come after the present one is an old record read again and is
   * passed over.
   *
   * @param source - who says so: a pilot, or the bridge itself
   * @returns whether anything was taken
   */
  apply(slot: number, facts: TaskFacts, at: number, source: string): boolean {
    const from = this.stateNumber(slot);
    const to = STATE_NUMBERS[facts.state];
    if (isFinalNumber(from) || !reaches(from, to)) return false;
    this.#takeFacts(slot, facts, from !== to);
    if (from !== to) this.#move(slot, from, to, at, source, facts.passed);
    else if (facts.placement !== undefined) this.timelines.begin(this, slot, at);
    this.touch(slot);
    return true;
  }

  /** Says that a task has changed. */
  touch(slot: number): void {
    const seq = this.ledger.next();
    this.chunk(slot).seq[placeOf(slot)] = seq;
    this.dirty.add(chunkOf(slot));
    this.changes.push(slot);
    const set = this.setOf(slot);
    if (set === undefined) this.ledger.task(this.#names.get(slot) ?? '', seq);
    else {
      this.ledger.set(set);
      if (this.ledger.watched.size > 0) {
        const id = this.idOf(slot);
        if (this.ledger.watched.has(id)) this.ledger.task(id, seq);
      }
    }
  }

  /** Says that a set has changed, by itself. */
  touchSet(set: LiveSet): void {
    this.ledger.set(set);
  }

  /** Takes one task that belongs to no set off the lists. */
  removeSingle(id: string): void {
    const slot = this.#singles.get(id);
    if (slot === undefined) return;
    this.#singles.delete(id);
    this.#names.delete(slot);
    this.changes.removed(id);
    this.#release(slot);
  }

  removeSet(id: string): void {
    const set = this.#sets.get(id);
    if (set === undefined) return;
    for (const slot of set.slots) this.#release(slot);
    this.#sets.delete(id);
    this.#setNumbers[set.number] = undefined;
    this.changes.reset();
  }

  /** Forgets everything. */
  clear(): void {
    for (const id of [...this.#singles.keys()]) this.removeSingle(id);
    for (const id of [...this.#sets.keys()]) this.removeSet(id);
    this.#chunks.length = 0;
    this.#extras.length = 0;
    this.#setNumbers.length = 0;
    this.#free.length = 0;
    this.#end = 0;
    this.texts.clear();
    this.changes.reset();
  }

  /** A chunk for the cache. */
  cachedChunk(index: number): CachedChunk | undefined {
    const chunk = this.#chunks[index];
    if (chunk === undefined) return undefined;
    const extras: Record<string, Extra> = {};
    this.#extras[index]?.forEach((extra, place) => {
      if (extra !== undefined) extras[place] = extra;
    });
    const ids: Record<string, string> = {};
    for (let place = 0; place < CHUNK_TASKS; place += 1) {
      const id = this.#names.get(index * CHUNK_TASKS + place);
      if (id !== undefined) ids[place] = id;
    }
    return { index, bytes: new Uint8Array(chunk.bytes), rest: JSON.stringify({ extras, ids } satisfies ChunkRest) };
  }

  /** Changes whenever `shared` does. */
  get sharedVersion(): number {
    const { pilots, groups, files, signals, placements, offers } = this;
    return this.#end + pilots.size + groups.size + files.size + signals.size + placements.size + offers.size;
  }

  get shared(): CachedShared {
    const { pilots, groups, files, signals, placements, offers } = this;
    return {
      end: this.#end,
      pilots: pilots.values(),
      groups: groups.values(),
      files: files.values(),
      signals: signals.values(),
      placements: placements.values(),
      offers: offers.values(),
    };
  }

  cachedSets(): CachedSet[] {
    return [...this.#sets.values()].map((set) => {
      return { ...set.cached, facts: set.facts, number: set.number, group: set.group };
    });
  }

  /** Begins to bring back what the cache has; chunks follow, then `restored`. */
  restore(shared: CachedShared, sets: readonly CachedSet[]): void {
    this.pilots.restore(shared.pilots);
    this.groups.restore(shared.groups);
    this.files.restore(shared.files);
    this.signals.restore(shared.signals);
    this.placements.restore(shared.placements);
    this.offers.restore(shared.offers);
    this.#end = shared.end;
    for (const { facts, number, group } of sets) {
      const set = new LiveSet(facts, number, group);
      this.#setNumbers[number] = set;
      this.#sets.set(facts.id, set);
      this.ledger.set(set);
    }
  }

  restoreChunk({ index, bytes, rest }: CachedChunk): void {
    const chunk = chunkFrom(bytes);
    const { extras, ids } = parseRest(rest);
    this.#chunks[index] = chunk;
    const own: (Extra | undefined)[] = new Array(CHUNK_TASKS);
    for (const [place, extra] of Object.entries(extras)) own[Number(place)] = extra;
    this.#extras[index] = own;
    for (const [place, id] of Object.entries(ids)) {
      const slot = index * CHUNK_TASKS + Number(place);
      this.#singles.set(id, slot);
      this.#names.set(slot, id);
    }
    // Numbers of changes begin anew with each bridge.
    for (let place = 0; place < CHUNK_TASKS; place += 1) chunk.seq[place] = this.ledger.next();
  }

  /** All chunks are there: what follows from them is made. */
  restored(sets: readonly CachedSet[]): void {
    for (let slot = 0; slot < this.#end; slot += 1) {
      if (this.#chunks[chunkOf(slot)] === undefined) throw new RangeError(`chunk ${chunkOf(slot)} is missing`);
      const number = this.stateNumber(slot);
      if (number < 0) this.#free.push(slot);
      else this.#restoreInSet(slot, number);
    }
    for (const { facts, ...state } of sets) {
      const set = this.#sets.get(facts.id);
      set?.restore(state);
      set?.settle(this.#lastEnd(set));
    }
    for (const [id, slot] of this.#singles) this.ledger.task(id, this.seqOf(slot));
  }

  #restoreInSet(slot: number, state: number): void {
    const set = this.setOf(slot);
    if (set === undefined) return;
    const chunk = this.chunk(slot);
    const place = placeOf(slot);
    set.slots.set(chunk.number[place] ?? 0, slot);
    set.counts.total += 1;
    set.counts[phaseOf(state)] += 1;
    if (this.has(slot, FLAG.resumed)) set.counts.resumed += 1;
    const order = chunk.order[place] ?? 0;
    if (order > 0) set.order.set(order - 1, chunk.number[place] ?? 0);
    const { error } = this.extra(slot);
    if (state === STATE_NUMBERS.FAILED && error) set.failed(this.idOf(slot), this.nameOf(slot), error);
  }

  /** When the last task of a set ended. */
  #lastEnd(set: LiveSet): number {
    let last = Date.parse(set.facts.createdAt);
    const column = timeColumn(STATE_NUMBERS.DONE);
    for (const slot of set.slots) last = Math.max(last, this.chunk(slot).times[placeOf(slot) * 7 + column] ?? 0);
    return last;
  }

  #takeFacts(slot: number, facts: TaskFacts, moved: boolean): void {
    const chunk = this.chunk(slot);
    const place = placeOf(slot);
    let flags = chunk.flags[place] ?? 0;
    for (const [state, time] of facts.passed ?? []) {
      const number = STATE_NUMBERS[state];
      if (number > 0) chunk.times[place * 7 + timeColumn(number)] = Date.parse(time);
    }
    if (facts.attempt !== undefined) chunk.attempt[place] = facts.attempt;
    if (facts.exitCode !== undefined) {
      chunk.exitCode[place] = facts.exitCode;
      flags |= FLAG.exitCode;
    }
    if (facts.signal !== undefined) chunk.signal[place] = this.signals.number(facts.signal);
    if (facts.placement !== undefined) chunk.placed[place] = this.placements.number(facts.placement);
    const { output, usage } = facts;
    if (output !== undefined) {
      chunk.file[place] = this.files.number(output.file);
      chunk.output.set([output.stdout.offset, output.stdout.length, output.stderr.offset, output.stderr.length], place * 4);
      flags |= FLAG.output;
    }
    if (usage !== undefined) {
      const { wall, cpu, maxRss, read, written, gpuUtil, gpuMemoryPeak } = usage;
      chunk.usage.set([wall, cpu, maxRss, read, written, gpuUtil ?? NaN, gpuMemoryPeak ?? NaN], place * 7);
      flags |= FLAG.usage;
    }
    chunk.flags[place] = flags;
    const reason = facts.reason === undefined ? (moved ? null : undefined) : facts.reason;
    if (reason !== undefined && (reason !== null || this.extra(slot) !== NO_EXTRA)) this.edit(slot).reason = reason;
    if (facts.error !== undefined) this.edit(slot).error = facts.error;
    if (facts.stderrTail !== undefined && facts.stderrTail !== '') this.edit(slot).stderrTail = facts.stderrTail;
    if (facts.staging !== undefined) this.edit(slot).staging = facts.staging;
    if (facts.value !== undefined) this.edit(slot).value = facts.value;
    if (facts.exception !== undefined) this.edit(slot).exception = facts.exception;
  }

  #move(slot: number, from: number, to: number, at: number, source: string, passed: TaskFacts['passed']): void {
    const chunk = this.chunk(slot);
    const place = placeOf(slot);
    chunk.times[place * 7 + timeColumn(to)] = at;
    chunk.state[place] = to + 1;
    const start = passed?.find(([state]) => phaseOf(STATE_NUMBERS[state]) === 'running');
    if (start !== undefined) this.timelines.begin(this, slot, Date.parse(start[1]));
    if (phaseOf(to) === 'running') this.timelines.begin(this, slot, at);
    else this.timelines.end(this, slot, at);
    const set = this.setOf(slot);
    if (set !== undefined) {
      set.moved(phaseOf(from), phaseOf(to));
      if (isFinalNumber(to)) {
        const { error } = this.extra(slot);
        const number = chunk.number[place] ?? 0;
        if (to === STATE_NUMBERS.FAILED && error) set.failed(this.idOf(slot), this.nameOf(slot), error);
        chunk.order[place] = set.taskEnded(number, at, source) + 1;
      }
    }
    if (isFinalNumber(to)) this.onEnd(slot);
  }

  /** Called when a task has ended. */
  onEnd: (slot: number) => void = () => undefined;
  /** Called when the agent of its pilot has given a task back. */
  onReturn: (slot: number) => void = () => undefined;

  nameOf(slot: number): string {
    const text = this.text(slot);
    return text.slice(NAME_AT, text.indexOf('"', NAME_AT));
  }

  #take(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const slot = this.#end;
    if (chunkOf(slot) === this.#chunks.length) {
      this.#chunks.push(new Chunk());
      this.#extras.push(new Array(CHUNK_TASKS));
    }
    this.#end += 1;
    return slot;
  }

  #release(slot: number): void {
    const chunk = this.chunk(slot);
    const place = placeOf(slot);
    this.texts.drop(chunk.arena[place] ?? 0);
    for (const column of [chunk.pilot, chunk.set, chunk.number, chunk.order, chunk.offer, chunk.file, chunk.placed]) {
      column[place] = 0;
    }
    chunk.times.fill(0, place * 7, place * 7 + 7);
    chunk.state[place] = 0;
    chunk.flags[place] = 0;
    chunk.signal[place] = 0;
    delete this.#extras[chunkOf(slot)]?.[placeOf(slot)];
    this.dirty.add(chunkOf(slot));
    this.#free.push(slot);
  }
}

/** Where the name begins in the text of a task. */
const NAME_AT = '"name":"'.length;

/** Whether there is such a state. */
export function isTaskState(text: unknown): text is TaskState {
  return typeof text === 'string' && text in STATE_NUMBERS && taskStates.states.length > 0;
}
