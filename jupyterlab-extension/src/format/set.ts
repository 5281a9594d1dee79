import type { TranslationBundle } from '@jupyterlab/translation';
import { formatSeconds, type TaskSetRecord } from '@pilothouse/sdk/internal';
import { isFinal } from './state.js';

/** Tasks that a set will have in the end, as far as is known. */
export function expectedOf({ counts, expected, open }: TaskSetRecord): number {
  return open ? Math.max(counts.total, expected ?? 0) : counts.total;
}

/** Tasks of a set that have ended. */
export function endedOf({ counts }: TaskSetRecord): number {
  return counts.done + counts.failed + counts.canceled;
}

/** What of a set is not done yet, in words: `41 running · 147 waiting`. */
export function unfinished({ counts }: TaskSetRecord, trans: TranslationBundle): string {
  return [
    ...(counts.running > 0 ? [trans.__('%1 running', counts.running.toLocaleString())] : []),
    ...(counts.waiting > 0 ? [trans.__('%1 waiting', counts.waiting.toLocaleString())] : []),
  ].join(' · ');
}

/** How fast a set goes and when it will be over: `41/s · about 12 s left`; null when there is nothing to say. */
export function pace(set: TaskSetRecord, trans: TranslationBundle): string | null {
  if (isFinal('set', set.state)) return null;
  const parts = [
    ...(set.rate === null || set.rate === 0 ? [] : [perSecond(set.rate, trans)]),
    ...(set.eta === null ? [] : [trans.__('about %1 left', formatSeconds(set.eta))]),
  ];
  return parts.length === 0 ? null : parts.join(' · ');
}

/** A rate in the unit that makes it readable: `41/s`, `12/min`. */
export function perSecond(rate: number, trans: TranslationBundle): string {
  if (rate >= 10) return trans.__('%1/s', Math.round(rate).toLocaleString());
  if (rate >= 1) return trans.__('%1/s', rate.toFixed(1));
  return trans.__('%1/min', Number((rate * 60).toFixed(1)));
}

/** What ends with a set, one sentence. */
export function endsWithSet(set: TaskSetRecord, trans: TranslationBundle): string {
  const { running, waiting } = set.counts;
  if (running + waiting === 0) return trans.__('All its tasks have ended.');
  return [
    ...(running > 0 ? [trans._n('%1 running task ends now.', '%1 running tasks end now.', running)] : []),
    ...(waiting > 0 ? [trans._n('%1 waiting task never starts.', '%1 waiting tasks never start.', waiting)] : []),
    trans.__('What is done stays done.'),
  ].join(' ');
}
