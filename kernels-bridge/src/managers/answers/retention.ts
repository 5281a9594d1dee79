import type { KeptAnswer } from './kept-answer.js';

const HOUR = 3_600_000;
/** Milliseconds for which an answer is kept after its end. */
const KEPT = HOUR;
/** The same while a cell that shows it has not written its final bundle. */
const KEPT_FOR_VIEW = 7 * 24 * HOUR;
/** Characters of all kept answers together. */
const BUDGET = 64 * 1024 * 1024;
/** What a record costs beside its text: state, times, one object per chunk. */
const PER_ANSWER = 2_000;
const PER_CHUNK = 60;

/**
 * Which ended answers are no longer kept: those whose time is over, and the oldest where all together take too much.
 *
 * @param now - milliseconds since 1970
 */
export function expired(answers: Iterable<KeptAnswer>, now: number): KeptAnswer[] {
  const over: KeptAnswer[] = [];
  const rest: { answer: KeptAnswer; endedAt: number }[] = [];
  let size = 0;
  for (const answer of answers) {
    const { endedAt } = answer.record;
    if (endedAt !== null && now > deadline(answer, Date.parse(endedAt))) {
      over.push(answer);
      continue;
    }
    size += sizeOf(answer);
    if (endedAt !== null) rest.push({ answer, endedAt: Date.parse(endedAt) });
  }
  rest.sort((a, b) => a.endedAt - b.endedAt);
  for (const { answer } of rest) {
    if (size <= BUDGET) break;
    over.push(answer);
    size -= sizeOf(answer);
  }
  return over;
}

function deadline(answer: KeptAnswer, endedAt: number): number {
  return endedAt + (answer.views.size > 0 ? KEPT_FOR_VIEW : KEPT);
}

function sizeOf(answer: KeptAnswer): number {
  return answer.length + answer.promptLength + PER_ANSWER + answer.chunks.length * PER_CHUNK;
}
