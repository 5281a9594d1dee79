import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The text of an answer, put together from the pieces that the bridge wrote down as they came. */
export function loggedText(home: string, answer: string): string {
  const folder = join(home, 'calls');
  const pieces = new Map<number, string>();
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.jsonl'))) {
    for (const line of readFileSync(join(folder, name), 'utf8').split('\n')) {
      if (line !== '') collect(JSON.parse(line), answer, pieces);
    }
  }
  return [...pieces]
    .toSorted(([a], [b]) => a - b)
    .map(([, text]) => text)
    .join('');
}

function collect(record: unknown, answer: string, pieces: Map<number, string>): void {
  if (typeof record !== 'object' || record === null) return;
  if (!('type' in record) || record.type !== 'chunks' || !('id' in record) || record.id !== answer) return;
  if (!('from' in record) || typeof record.from !== 'number') return;
  if (!('chunks' in record) || !Array.isArray(record.chunks)) return;
  const { from } = record;
  record.chunks.forEach((chunk: unknown, index) => {
    if (typeof chunk !== 'object' || chunk === null || !('text' in chunk) || typeof chunk.text !== 'string') return;
    if (pieces.has(from + index)) throw new Error(`Piece ${from + index} of ${answer} was written twice`);
    pieces.set(from + index, chunk.text);
  });
}
