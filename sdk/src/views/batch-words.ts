import type { BatchRecord } from '../schemas/index.js';
import type { Progress } from './task-words.js';

/** How far a batch is; rows that stand in the output with an error count as ended. */
export function batchProgressOf({ progress }: Pick<BatchRecord, 'progress'>): Progress {
  const ended = progress.done + progress.failed;
  const total = progress.total ?? ended;
  return { ended, total, fraction: progress.total === null || total === 0 ? 0 : Math.min(1, ended / total) };
}

/** `812/1000 rows · 3 failed · 16 under way · 400 from before`: what there is none of left out. */
export function rowsSentence({ progress }: Pick<BatchRecord, 'progress'>): string {
  const { ended } = batchProgressOf({ progress });
  const part = (amount: number, words: string) => (amount > 0 ? `${amount} ${words}` : null);
  return [
    progress.total === null ? `${ended} rows so far` : `${ended}/${progress.total} rows`,
    part(progress.failed, 'failed'),
    part(progress.inFlight, 'under way'),
    part(progress.kept, 'from before'),
    part(progress.tokens, 'tokens'),
  ]
    .filter((text) => text !== null)
    .join(' · ');
}
