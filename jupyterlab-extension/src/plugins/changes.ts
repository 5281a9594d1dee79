import type { TranslationBundle } from '@jupyterlab/translation';
import type { Picture } from '@pilothouse/sdk';
import type { BatchRecord, PilotRecord, TaskSetRecord } from '@pilothouse/sdk/internal';
import { fromData, problemLine } from '../format/problem.js';
import { isFinal, stateWord } from '../format/state.js';

/** Seconds before its end at which a pilot is worth a warning. */
const SOON_SECONDS = 600;

/** State of each pilot, service, task set, batch and answer by id. */
export function statesOf({ pilots, services, sets, answers, batches }: Picture): Map<string, string> {
  return new Map([...pilots, ...services, ...sets, ...answers, ...batches].map(({ id, state }) => [id, state]));
}

/** Something that users want to be told. */
export type Change =
  | { readonly kind: 'pilot-active'; readonly id: string; readonly name: string }
  | { readonly kind: 'set-ended'; readonly set: TaskSetRecord }
  | { readonly kind: 'batch-ended'; readonly batch: BatchRecord }
  | { readonly kind: 'service-failed'; readonly id: string; readonly name: string; readonly text: string };

/** What has happened since the states were as in `before`. */
export function changesOf(before: ReadonlyMap<string, string>, { pilots, services, sets, batches }: Picture): Change[] {
  const changes: Change[] = [];
  for (const { id, name, state } of pilots) {
    if (state === 'ACTIVE' && before.get(id) !== 'ACTIVE') changes.push({ kind: 'pilot-active', id, name });
  }
  for (const { id, name, state, error } of services) {
    if (state !== 'FAILED' || before.get(id) === 'FAILED') continue;
    changes.push({ kind: 'service-failed', id, name, text: error === null ? '' : problemLine(fromData(error)) });
  }
  for (const set of sets) {
    const old = before.get(set.id);
    // A set that was never seen going on ended before somebody looked, or in no time.
    if (old !== undefined && !isFinal('set', old) && isFinal('set', set.state))
      changes.push({ kind: 'set-ended', set });
  }
  for (const batch of batches) {
    const old = before.get(batch.id);
    if (old !== undefined && !isFinal('batch', old) && isFinal('batch', batch.state)) {
      changes.push({ kind: 'batch-ended', batch });
    }
  }
  return changes;
}

/** How a task set came out, in one sentence. */
export function setOutcome({ name, counts, state }: TaskSetRecord, trans: TranslationBundle): string {
  if (state === 'DONE')
    return trans._n('Task set %2: %1 task is done.', 'Task set %2: all %1 tasks are done.', counts.done, name);
  const parts = [
    ...(counts.failed > 0 ? [trans.__('%1 failed', counts.failed.toLocaleString())] : []),
    ...(counts.canceled > 0 ? [trans.__('%1 canceled', counts.canceled.toLocaleString())] : []),
    trans.__('%1 done', counts.done.toLocaleString()),
  ];
  return trans.__('Task set %1: %2.', name, parts.join(', '));
}

/** Live pilots that end by themselves within ten minutes, unless that is all they were asked for. */
export function endingSoon({ pilots }: Picture, now: number): PilotRecord[] {
  return pilots.filter(({ state, endsAt, resources }) => {
    if (state !== 'ACTIVE' || endsAt === null || resources.runtime <= SOON_SECONDS) return false;
    const left = (Date.parse(endsAt) - now) / 1000;
    return left > 0 && left <= SOON_SECONDS;
  });
}

/** What ended since a page last looked, in one sentence; null when nothing did, or nobody looked before. */
export function awaySummary(seen: unknown, picture: Picture, trans: TranslationBundle): string | null {
  if (typeof seen !== 'object' || seen === null) return null;
  const before = new Map(Object.entries(seen));
  const ended = [
    ...picture.pilots.map((one) => ({ ...one, what: trans.__('pilot %1', one.name) })),
    ...picture.services.map((one) => ({ ...one, what: trans.__('service %1', one.name) })),
    ...picture.sets.map((one) => ({ ...one, what: trans.__('task set %1', one.name) })),
    ...picture.batches.map((one) => ({ ...one, what: trans.__('batch %1', one.name) })),
    ...picture.answers.map((one) => ({ ...one, what: trans.__('an answer of %1', one.service.name) })),
  ].filter(({ kind, id, state }) => {
    const old = before.get(id);
    return typeof old === 'string' && old !== state && !isFinal(kind, old) && isFinal(kind, state);
  });
  if (ended.length === 0) return null;
  const parts = ended.slice(0, 4).map(({ what, state }) => trans.__('%1 is %2', what, stateWord(state)));
  const more = ended.length - parts.length;
  return `${[...parts, ...(more > 0 ? [trans._n('%1 more', '%1 more', more)] : [])].join(', ')}.`;
}
