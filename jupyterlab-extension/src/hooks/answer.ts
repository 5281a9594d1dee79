import type { AnswerRecord } from '@pilothouse/sdk/internal';
import { useEffect, useState } from 'react';
import { BehaviorSubject } from 'rxjs';
import type { AnyAnswer } from '../session/ask.js';
import { useLive } from './live.js';

/** Pieces of a stream that are kept for showing. */
const KEPT = 200;

/** An answer as it stands, and its text so far. */
export function useAnswer(answer: AnyAnswer): { readonly record: AnswerRecord; readonly text: string } {
  const record = useLive(answer.record$, answer.record);
  const text = useLive(answer.text$, answer.text);
  // The list of answers goes without their values: one that ended before it was followed has its value asked for.
  const { op } = record.request;
  const lacking = record.state === 'DONE' && record.value === null && op !== 'chat' && op !== 'complete';
  const [whole, setWhole] = useState<{ readonly id: string; readonly value: unknown } | null>(null);
  const { id } = record;
  useEffect(() => {
    if (!lacking) return undefined;
    let current = true;
    answer.result().then(
      (value) => {
        if (current) setWhole({ id, value });
      },
      (error: unknown) => console.warn('Pilothouse could not read the value of an answer.', error),
    );
    return () => {
      current = false;
    };
  }, [answer, id, lacking]);
  if (lacking && whole?.id === id) return { record: { ...record, value: whole.value }, text: record.text ?? text };
  // The record of a finished answer holds the whole text, however much has been read of the stream.
  return { record, text: record.text ?? text };
}

/** The latest pieces that are not text. How reading them ended is in the answer's record. */
export function usePieces(answer: AnyAnswer): readonly unknown[] {
  const [pieces] = useState(() => new BehaviorSubject<readonly unknown[]>([]));
  useEffect(() => {
    if (!['infer', 'call'].includes(answer.record.request.op)) return undefined;
    pieces.next([]);
    const reading = answer.chunks$.subscribe({
      next: ({ data }) => {
        if (data !== undefined && data !== null) pieces.next([...pieces.value.slice(1 - KEPT), data]);
      },
      error: () => undefined,
    });
    return () => reading.unsubscribe();
  }, [answer, pieces]);
  return useLive(pieces, pieces.value);
}
