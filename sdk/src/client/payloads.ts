import { PilothouseError } from '../errors/index.js';
import type { Payload } from '../schemas/index.js';
import { formatBytes } from '../units/size.js';

/** Reads a text file that this program and the workers both see; absent in browsers. */
export type ReadFile = (path: string) => Promise<string>;

/** A value as it came from a worker. Small ones are there at once, large ones are read from their file. */
export function decodePayload(payload: Payload, readFile: ReadFile | null): unknown {
  if ('json' in payload) return payload.json;
  if ('pickle' in payload || payload.format === 'pickle') {
    throw new PilothouseError('INVALID_RESULT', 'The value is a Python object, which only Python can read.', {
      hint: 'Let the function return text, numbers, lists and dicts, or write a file and return its path.',
    });
  }
  if (readFile) return readJson(payload.file, readFile);
  throw new PilothouseError(
    'FILE_TOO_LARGE',
    `The value has ${formatBytes(payload.size)} and lies in ${payload.file}, which cannot be read from here.`,
    { hint: 'Read it in a notebook, or let the function return less.' },
  );
}

async function readJson(file: string, readFile: ReadFile): Promise<unknown> {
  try {
    const value: unknown = JSON.parse(await readFile(file));
    return value;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PilothouseError('DATA_NOT_FOUND', `The value could not be read from ${file}: ${why}.`, {
      hint: 'It lies in the state folder of Pilothouse; connect from a machine that sees it, or run the function again.',
      cause,
    });
  }
}
