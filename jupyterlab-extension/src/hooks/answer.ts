import type { Answer } from '@pilothouse/sdk';
import type { AnswerRecord } from '@pilothouse/sdk/internal';
import { useLive } from './live.js';

/** An answer as it stands, and its text so far. */
export function useAnswer(answer: Answer): { readonly record: AnswerRecord; readonly text: string } {
  const record = useLive(answer.record$, answer.record);
  const text = useLive(answer.text$, answer.text);
  // The record of a finished answer holds the whole text, however much has been read of the stream.
  return { record, text: record.text ?? text };
}
