import type { AnyRecord, LogChunk } from '../schemas/index.js';

/** The explanation of a thing, from what its record says. */
export function explain(record: AnyRecord): { text: string; evidence: string[] } {
  return { text: record.reason?.text ?? record.error?.message ?? `It is ${record.state}.`, evidence: [] };
}

/** A piece of a log of ASCII text that has ended. */
export function slice(text: string, offset: number, limit: number): LogChunk {
  const start = offset < 0 ? Math.max(0, text.length + offset) : Math.min(offset, text.length);
  const part = text.slice(start, start + limit);
  return { text: part, offset: start, next: start + part.length, size: text.length, complete: true };
}
