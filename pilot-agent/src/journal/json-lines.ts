import { PilothouseError } from '@pilothouse/sdk/shared';

/** One line of a file of JSON lines. */
export interface Line {
  /** 1, 2, 3 … as editors count. */
  readonly number: number;
  readonly value: unknown;
}

/** What a file of JSON lines holds. */
export interface Lines {
  readonly lines: readonly Line[];
  /** Bytes up to the end of the last whole line; what follows is the torn end of a writer that was killed. */
  readonly length: number;
}

const NEWLINE = 0x0a;

/**
 * Reads a file of JSON lines. A last line without its end is left out.
 *
 * @throws PilothouseError LOG_DAMAGED, naming file and line, when any whole line is no JSON
 */
export function parseLines(content: Uint8Array, file: string): Lines {
  const length = content.lastIndexOf(NEWLINE) + 1;
  const lines: Line[] = [];
  const decoder = new TextDecoder();
  let start = 0;
  for (let number = 1; start < length; number += 1) {
    const end = content.indexOf(NEWLINE, start);
    const text = decoder.decode(content.subarray(start, end));
    try {
      lines.push({ number, value: JSON.parse(text) });
    } catch (cause) {
      throw damaged(file, number, 'is not JSON', cause);
    }
    start = end + 1;
  }
  return { lines, length };
}

/** The error for a line that cannot be used. */
export function damaged(file: string, line: number, what: string, cause?: unknown): PilothouseError {
  return new PilothouseError('LOG_DAMAGED', `${file}, line ${line}, ${what}`, {
    hint: 'Put the line right or remove it; the pilot then goes on by itself.',
    evidence: `${file}:${line}`,
    cause,
  });
}
