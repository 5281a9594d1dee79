import { type ErrorCode, isId, PilothouseError, type RecordKind } from '@pilothouse/sdk/internal';
import type { Picture, Records } from '../picture/picture.js';
import type { Names } from './names.js';

const NOT_FOUND: Readonly<Record<RecordKind, ErrorCode>> = {
  pilot: 'PILOT_NOT_FOUND',
  task: 'TASK_NOT_FOUND',
  service: 'SERVICE_NOT_FOUND',
  answer: 'ANSWER_NOT_FOUND',
};

/** Finds the thing that an id, the name of a live thing, the name of an ended one, or the start of an id means. */
export function findRef<K extends RecordKind>(picture: Picture, names: Names, kind: K, ref: string): Records[K] {
  const exact = picture.get(kind, ref) ?? picture.get(kind, names.find(kind, ref) ?? '');
  if (exact !== undefined) return exact;
  if (!isId(kind, ref)) {
    let newest: Records[K] | undefined;
    const byPrefix: Records[K][] = [];
    for (const record of picture.list(kind)) {
      if (record.name === ref && (newest === undefined || newest.createdAt <= record.createdAt)) newest = record;
      if (record.id.startsWith(ref) || record.id.startsWith(`${kind}-${ref}`)) byPrefix.push(record);
    }
    if (newest !== undefined) return newest;
    const [only, second] = byPrefix;
    if (only !== undefined && second === undefined) return only;
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

function notFound(picture: Picture, kind: RecordKind, ref: string): PilothouseError {
  const live = [...picture.list(kind)].filter(({ endedAt }) => endedAt === null).map(({ name }) => name);
  const hint =
    kind === 'answer'
      ? 'Answers are kept for an hour after their end; ask again.'
      : live.length === 0
        ? `There is no live ${kind}; start one first.`
        : `Live ones are ${live.slice(0, 5).join(', ')}.`;
  return new PilothouseError(NOT_FOUND[kind], `there is no ${kind} "${ref}"`, {
    hint,
    ids: { [kind]: ref },
    field: 'ref',
  });
}
