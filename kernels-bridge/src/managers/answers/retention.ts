import type { KeptAnswer } from './kept-answer.js';

const HOUR = 3_600_000;
/** Milliseconds after its end for which an answer stays on the lists that people watch. */
const CURRENT = HOUR;
/** Milliseconds after its end for which an answer is kept: history that can be searched. */
const KEPT = 7 * 24 * HOUR;
/** Characters of all kept answers together. */
const BUDGET = 64 * 1024 * 1024;
/** What a record costs beside its text: state, times, one object per chunk. */
const PER_ANSWER = 2_000;
const PER_CHUNK = 60;

/**
 * Which ended answers are no longer kept: those whose time is over, and the oldest where all together take too much;
 * those that a cell still shows without its final bundle come last.
 *
 * @param now - milliseconds since 1970
 */
export function expired(answers: Iterable<KeptAnswer>, now: number): KeptAnswer[] {
  const over: KeptAnswer[] = [];
  const rest: { answer: KeptAnswer; endedAt: number }[] = [];
  let size = 0;
  for (const answer of answers) {
    const endedAt = endOf(answer);
    if (endedAt !== null && now > endedAt + KEPT) {
      over.push(answer);
      continue;
    }
    size += sizeOf(answer);
    if (endedAt !== null) rest.push({ answer, endedAt });
  }
  const awaited = ({ views }: KeptAnswer): number => (views.size > 0 ? 1 : 0);
  rest.sort((a, b) => awaited(a.answer) - awaited(b.answer) || a.endedAt - b.endedAt);
  for (const { answer } of rest) {
    if (size <= BUDGET) break;
    over.push(answer);
    size -= sizeOf(answer);
  }
  return over;
}

/** Whether it stands on the lists: it is under way, ended of late, or is shown by a cell that waits for its final bundle. */
export function isCurrent(answer: KeptAnswer, now: number): boolean {
  const endedAt = endOf(answer);
  return endedAt === null || answer.views.size > 0 || now <= endedAt + CURRENT;
}

function endOf({ record: { endedAt } }: KeptAnswer): number | null {
  return endedAt === null ? null : Date.parse(endedAt);
}

function sizeOf(answer: KeptAnswer): number {
  return answer.length + answer.promptLength + PER_ANSWER + answer.chunks.length * PER_CHUNK;
}
