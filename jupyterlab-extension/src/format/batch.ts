import type { TranslationBundle } from '@jupyterlab/translation';
import { type BatchRecord, formatSeconds } from '@pilothouse/sdk/internal';
import { perSecond } from './set.js';
import { isFinal } from './state.js';
import { secondsUntil } from './time.js';

/** Rows that stand in the output, those with an error included. */
export function endedRows({ progress }: BatchRecord): number {
  return progress.done + progress.failed;
}

/** `812/1,000`, or `812+` while the input has not been read to its end. */
export function rowCount(batch: BatchRecord): string {
  const { total } = batch.progress;
  const ended = endedRows(batch).toLocaleString();
  return total === null ? `${ended}+` : `${ended}/${total.toLocaleString()}`;
}

/** How fast a batch goes and when it will be over: `41/s · about 12 s left`; null when there is nothing to say. */
export function batchPace(batch: BatchRecord, now: number, trans: TranslationBundle): string | null {
  if (isFinal('batch', batch.state)) return null;
  const { rate, eta } = batch.progress;
  const parts = [
    ...(rate === null || rate === 0 ? [] : [perSecond(rate, trans)]),
    ...(eta === null ? [] : [trans.__('about %1 left', formatSeconds(secondsUntil(eta, now)))]),
  ];
  return parts.length === 0 ? null : parts.join(' · ');
}

/** What ends with a batch, in sentences. */
export function endsWithBatch(batch: BatchRecord, trans: TranslationBundle): string {
  const { inFlight } = batch.progress;
  return [
    ...(inFlight > 0
      ? [trans._n('%1 request under way is stopped.', '%1 requests under way are stopped.', inFlight)]
      : []),
    trans.__('Rows that are answered stay in %1; started again, only what is missing is done.', batch.out),
  ].join(' ');
}

/** How a batch came out, in one sentence. */
export function batchOutcome({ name, progress, state }: BatchRecord, trans: TranslationBundle): string {
  const parts = [
    ...(progress.failed > 0 ? [trans.__('%1 failed', progress.failed.toLocaleString())] : []),
    trans.__('%1 answered', progress.done.toLocaleString()),
  ];
  return state === 'CANCELED'
    ? trans.__('Batch %1 was canceled: %2.', name, parts.join(', '))
    : trans.__('Batch %1: %2.', name, parts.join(', '));
}
