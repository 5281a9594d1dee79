import { type ErrorCode, isId, PilothouseError, type RecordKind } from '@pilothouse/sdk/internal';
import type { Picture, Records } from '../picture/picture.js';
import type { LiveSet } from '../picture/tasks/task-set-state.js';
import type { TaskTable } from '../picture/tasks/task-table.js';
import type { Names } from './names.js';

const WORD: Readonly<Record<RecordKind, string>> = {
  pilot: 'pilot',
  task: 'task',
  set: 'task set',
  service: 'service',
  answer: 'answer',
  batch: 'batch',
};

/** Names that an error shows. */
const SHOWN = 5;

const NOT_FOUND: Readonly<Record<RecordKind, ErrorCode>> = {
  pilot: 'PILOT_NOT_FOUND',
  task: 'TASK_NOT_FOUND',
  set: 'TASK_SET_NOT_FOUND',
  service: 'SERVICE_NOT_FOUND',
  answer: 'ANSWER_NOT_FOUND',
  batch: 'BATCH_NOT_FOUND',
};

/** Finds the thing that an id, the name of a live thing, the name of an ended one, or the start of an id means. */
export function findRef<K extends RecordKind>(picture: Picture, names: Names, kind: K, ref: string): Records[K] {
  const exact = picture.get(kind, ref) ?? picture.get(kind, names.find(kind, ref) ?? '');
  if (exact !== undefined) return exact;
  const member = kind === 'task' ? memberOf(picture, names, ref) : undefined;
  if (member !== undefined) {
    const record = picture.get(kind, member);
    if (record !== undefined) return record;
  }
  if (!isId(kind, ref)) {
    let newest: Candidate | undefined;
    const byPrefix: Candidate[] = [];
    for (const record of candidates(picture, kind)) {
      if (record.name === ref && (newest === undefined || newest.createdAt <= record.createdAt)) newest = record;
      if (record.id.startsWith(ref) || record.id.startsWith(`${kind}-${ref}`)) byPrefix.push(record);
    }
    const [only, second] = byPrefix;
    const meant = newest ?? (second === undefined ? only : undefined);
    const record = meant === undefined ? undefined : picture.get(kind, meant.id);
    if (record !== undefined) return record;
    if (only !== undefined) {
      const found = byPrefix.slice(0, 5).map(({ id }) => id);
      throw new PilothouseError(NOT_FOUND[kind], `"${ref}" is the start of ${byPrefix.length} ids`, {
        hint: `Write more of it: ${found.join(', ')}.`,
        field: 'ref',
      });
    }
  }
  throw notFound(picture, kind, ref);
}

/** The id of a task of a set, from the set's id or name and the task's name (or number) with a dot between. */
function memberOf({ tasks }: Picture, names: Names, ref: string): string | undefined {
  for (let dot = ref.indexOf('.'); dot !== -1; dot = ref.indexOf('.', dot + 1)) {
    const start = ref.slice(0, dot);
    const set = tasks.set(start) ?? tasks.set(names.find('set', start) ?? '') ?? newestNamed(tasks, start);
    const slot = set && (tasks.named(set, ref.slice(dot + 1)) ?? set.slots.get(numberOf(ref.slice(dot + 1))));
    if (slot !== undefined) return tasks.idOf(slot);
  }
  return undefined;
}

function newestNamed(tasks: TaskTable, name: string): LiveSet | undefined {
  let newest: LiveSet | undefined;
  for (const set of tasks.sets.values()) if (set.facts.name === name) newest = set;
  return newest;
}

function numberOf(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : -1;
}

/** As much of a thing as it takes to find it. */
interface Candidate {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string | number;
}

/** Things of one kind, without making records of what is not kept as such. */
function* candidates(picture: Picture, kind: RecordKind): Generator<Candidate, void, void> {
  if (kind !== 'task') yield* picture.list(kind);
  else {
    const { tasks } = picture;
    for (const [id, slot] of tasks.singles) yield { id, name: tasks.nameOf(slot), createdAt: tasks.createdAt(slot) };
  }
}

function notFound(picture: Picture, kind: RecordKind, ref: string): PilothouseError {
  const live = liveNames(picture, kind);
  const hint =
    kind === 'answer'
      ? 'Answers are kept for seven days, the last 64 MiB of them; ask again.'
      : live.length === 0
        ? `There is no live ${WORD[kind]}; start one first.`
        : `Live ones are ${live.slice(0, SHOWN).join(', ')}.`;
  return new PilothouseError(NOT_FOUND[kind], `there is no ${WORD[kind]} "${ref}"`, {
    hint,
    ids: { [kind]: ref },
    field: 'ref',
  });
}

/** Names of the first live things of a kind. */
function liveNames(picture: Picture, kind: RecordKind): string[] {
  const { tasks } = picture;
  const names: string[] = [];
  if (kind === 'task') {
    for (const slot of tasks.singles.values()) {
      if (names.length < SHOWN && !tasks.isFinal(slot)) names.push(tasks.nameOf(slot));
    }
  } else for (const { endedAt, name } of picture.list(kind)) if (endedAt === null) names.push(name);
  return names;
}
