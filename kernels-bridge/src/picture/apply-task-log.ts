import type { LogRecord } from '../store/log-records.js';
import type { Keys } from './keys.js';
import type { Picture } from './picture.js';
import { isUnstarted } from './settle.js';
import { FLAG } from './tasks/columns.js';
import type { SubmittedTask, TakenOver } from './tasks/facts.js';
import { askedFor, taskText } from './tasks/task-record.js';
import { summaryOf } from './tasks/task-set-state.js';

/** Who ends a task where no agent does. */
export const BRIDGE = 'bridge';

export type TaskLogRecord = Extract<LogRecord, { type: `set.${string}` | `tasks.${string}` }>;
type Of<T extends TaskLogRecord['type']> = Extract<TaskLogRecord, { type: T }>;

/** Lets a record about tasks or sets take effect on the picture. */
export function applyTaskLog(picture: Picture, keys: Keys, record: TaskLogRecord): void {
  const { tasks } = picture;
  const at = Date.parse(record.t);
  switch (record.type) {
    case 'set.opened':
      keys.set(record.key, { kind: 'set', id: record.set.id });
      if (tasks.set(record.set.id) === undefined) tasks.openSet(record.set);
      return;
    case 'set.closed':
      closeSet(picture, record.id, at);
      return;
    case 'set.order': {
      const set = tasks.set(record.set);
      if (set === undefined) return;
      for (const [index, number] of record.numbers.entries()) set.plan[record.from + index] = number;
      set.orderWritten = Math.max(set.orderWritten, record.from + record.numbers.length);
      set.tell();
      return;
    }
    case 'tasks.submitted':
      submit(picture, keys, record, at);
      return;
    case 'tasks.placed':
      place(picture, record, at);
      return;
    case 'tasks.cancel':
      cancel(picture, record, at);
      return;
    case 'tasks.failed':
      for (const id of record.tasks) {
        const slot = tasks.find(id);
        const error = { ...record.error, ids: { ...record.error.ids, task: id } };
        if (slot !== undefined) tasks.apply(slot, { state: 'FAILED', error }, at, BRIDGE);
      }
  }
}

function submit(picture: Picture, keys: Keys, record: Of<'tasks.submitted'>, at: number): void {
  const { tasks } = picture;
  const { pilot, offer, template = {}, env = {}, cwd = '/', owner = '' } = record;
  const set = record.set === null ? undefined : tasks.set(record.set);
  // A set that has been forgotten takes its tasks with it.
  if (record.set !== null && set === undefined) return;
  const group = set?.group ?? tasks.groups.number({ template, env, cwd, owner });
  for (const [index, spooled] of record.tasks.entries()) {
    const { id } = spooled;
    const key = record.keys?.[index];
    if (key !== undefined) keys.set(key, { kind: 'task', id });
    if (tasks.find(id) !== undefined) continue;
    const task: SubmittedTask = { ...spooled, named: record.named, retryOf: record.retryOf?.[id] };
    const slot = tasks.add(task, record.texts?.[index] ?? taskText(spooled), { group, set, pilot, offer }, at);
    if (set?.summary === '') set.summary = summaryOf(askedFor(tasks, slot));
    const resumed = record.resumed?.[id];
    if (resumed !== undefined) takeOver(picture, slot, resumed, at);
  }
}

function takeOver({ tasks }: Picture, slot: number, from: TakenOver, at: number): void {
  const set = tasks.setOf(slot);
  if (set !== undefined) set.counts.resumed += 1;
  tasks.edit(slot).resumedFrom = from.from;
  tasks.bind(slot, from.pilot);
  tasks.flag(slot, FLAG.resumed, true);
  const facts = {
    exitCode: from.exitCode ?? undefined,
    output: from.output ?? undefined,
    value: from.value ?? undefined,
    usage: from.usage ?? undefined,
  };
  tasks.apply(slot, { state: 'DONE', ...facts }, at, BRIDGE);
}

function place({ tasks }: Picture, record: Of<'tasks.placed'>, at: number): void {
  for (const [index, id] of record.tasks.entries()) {
    const slot = tasks.find(id);
    if (slot === undefined || tasks.isFinal(slot)) continue;
    const attempts = record.attempts?.[index];
    if (tasks.state(slot) !== 'NEW') {
      tasks.apply(
        slot,
        { state: 'WAITING', reason: null, attempt: attempts === undefined ? undefined : attempts + 1 },
        at,
        BRIDGE,
      );
    }
    tasks.bind(slot, record.pilot, record.offer);
  }
}

function cancel(picture: Picture, record: Of<'tasks.cancel'>, at: number): void {
  const { tasks } = picture;
  const set = record.set === undefined ? undefined : tasks.set(record.set);
  if (set !== undefined) {
    set.canceledAt = record.t;
    set.open = false;
  }
  for (const slot of set?.slots ?? (record.tasks ?? []).map((id) => tasks.find(id))) {
    if (slot === undefined || tasks.isFinal(slot)) continue;
    const pilot = tasks.pilotOf(slot);
    // No agent has it, and the one that will sees this too.
    if (pilot === null || isUnstarted(picture, pilot)) tasks.apply(slot, { state: 'CANCELED' }, at, BRIDGE);
    // The agent says when it is over; until then the state is what it was.
    else tasks.flag(slot, FLAG.canceling, true);
  }
  set?.settle(at);
  if (set !== undefined) tasks.touchSet(set);
}

function closeSet({ tasks }: Picture, id: string, at: number): void {
  const set = tasks.set(id);
  if (set === undefined || !set.open) return;
  set.open = false;
  set.settle(at);
  tasks.touchSet(set);
}
