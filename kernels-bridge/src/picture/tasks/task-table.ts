import { CHUNK_TASKS, Chunk, chunkOf, FLAG, placeOf } from './columns.js';
import {
  type Extra,
  isFinalNumber,
  phaseOf,
  reaches,
  STATE_NUMBERS,
  type SubmittedTask,
  type TaskFacts,
  timeColumn,
} from './facts.js';
import { RestorableTable } from './restorable-table.js';
import { NO_EXTRA, type Offer, type Submission } from './task-columns.js';
import { LiveSet } from './task-set-state.js';

export type { Ledger, Offer, Submission } from './task-columns.js';

/**
 * Every task the bridge knows, in columns: a task is a slot, and becomes a record only when somebody asks for it. Those of
 * sets have no entry of their own anywhere else: their id is their set's with their number.
 */
export class TaskTable extends RestorableTable {
  openSet(facts: LiveSet['facts']): LiveSet {
    const { description, env, cwd, owner } = facts;
    const group = this.groups.number({ template: description.template, env, cwd, owner });
    const set = new LiveSet(facts, this.setsByNumber.length, group);
    this.setsByNumber.push(set);
    this.setsById.set(facts.id, set);
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
      this.singleSlots.set(task.id, slot);
      this.singleIds.set(slot, task.id);
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
    const extras = this.extraLists[chunkOf(slot)];
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
    if (set === undefined) this.ledger.task(this.singleIds.get(slot) ?? '', seq);
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
    const slot = this.singleSlots.get(id);
    if (slot === undefined) return;
    this.singleSlots.delete(id);
    this.singleIds.delete(slot);
    this.changes.removed(id);
    this.#release(slot);
  }

  removeSet(id: string): void {
    const set = this.setsById.get(id);
    if (set === undefined) return;
    for (const slot of set.slots) this.#release(slot);
    this.setsById.delete(id);
    this.setsByNumber[set.number] = undefined;
    this.changes.reset();
  }

  /** Forgets everything. */
  clear(): void {
    for (const id of [...this.singleSlots.keys()]) this.removeSingle(id);
    for (const id of [...this.setsById.keys()]) this.removeSet(id);
    this.chunkList.length = 0;
    this.extraLists.length = 0;
    this.setsByNumber.length = 0;
    this.freeSlots.length = 0;
    this.endSlot = 0;
    this.texts.clear();
    this.changes.reset();
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
    // How this attempt ended takes the place of how an earlier one did.
    const ended = facts.exitCode !== undefined || facts.signal !== undefined;
    if (ended) {
      chunk.exitCode[place] = facts.exitCode ?? 0;
      flags = facts.exitCode === undefined ? flags & ~FLAG.exitCode : flags | FLAG.exitCode;
      chunk.signal[place] = facts.signal === undefined ? 0 : this.signals.number(facts.signal);
    }
    if (facts.placement !== undefined) chunk.placed[place] = this.placements.number(facts.placement);
    const { output, usage } = facts;
    if (output !== undefined) {
      chunk.file[place] = this.files.number(output.file);
      chunk.output.set(
        [output.stdout.offset, output.stdout.length, output.stderr.offset, output.stderr.length],
        place * 4,
      );
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
    else if (ended && this.extra(slot).stderrTail) this.edit(slot).stderrTail = null;
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

  #take(): number {
    const free = this.freeSlots.pop();
    if (free !== undefined) return free;
    const slot = this.endSlot;
    if (chunkOf(slot) === this.chunkList.length) {
      this.chunkList.push(new Chunk());
      this.extraLists.push(new Array(CHUNK_TASKS));
    }
    this.endSlot += 1;
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
    delete this.extraLists[chunkOf(slot)]?.[placeOf(slot)];
    this.dirty.add(chunkOf(slot));
    this.freeSlots.push(slot);
  }
}
