import type { AnswerRecord, RequestState } from '@pilothouse/sdk/internal';
import type { KeptAnswer } from './kept-answer.js';

/** What is looked for among the kept answers. */
export interface Wanted {
  /** Empty: all. Upper and lower case are the same. */
  readonly text: string;
  /** Id or name of a service. */
  readonly service?: string | undefined;
  readonly states?: readonly RequestState[] | undefined;
  readonly skip: number;
  readonly limit: number;
}

/** Characters of a value (vectors, tensors) above which it is not searched. */
const LONGEST_VALUE = 64 * 1024;

/** Kept answers whose question or answer holds a text, newest first, without their own text; and how many there are. */
export function search(answers: Iterable<KeptAnswer>, wanted: Wanted): { answers: AnswerRecord[]; total: number } {
  const { service, states, skip, limit } = wanted;
  const text = wanted.text.toLowerCase();
  const found: AnswerRecord[] = [];
  for (const answer of answers) {
    const { record } = answer;
    if (service !== undefined && service !== record.service.id && service !== record.service.name) continue;
    if (states !== undefined && !states.includes(record.state)) continue;
    if (text === '' || holds(answer, text)) found.push(record);
  }
  found.sort((a, b) => (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0));
  return { answers: found.slice(skip, skip + limit), total: found.length };
}

function holds(answer: KeptAnswer, text: string): boolean {
  if (answer.text.toLowerCase().includes(text)) return true;
  if (someString(answer.record.request, text)) return true;
  return answer.length - answer.text.length <= LONGEST_VALUE && someString(answer.whole.value, text);
}

/** Whether a string in it, however deep, holds a text; so that what JSON escapes is found as it was written. */
function someString(value: unknown, text: string): boolean {
  if (typeof value === 'string') return value.toLowerCase().includes(text);
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some((inner) => someString(inner, text));
}
