import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { type LogChunk, type OutputRange, PilothouseError } from '@pilothouse/sdk/internal';
import type { Context } from '../context.js';
import { isMissing } from '../missing.js';

/** Which part of an output is asked for. */
export interface LogRange {
  readonly stream: 'stdout' | 'stderr';
  /** Byte offset; negative counts from the end. */
  readonly offset: number;
  /** bytes */
  readonly limit: number;
}

/** Whose output: a task or an instance of a service. */
export interface OutputOwner {
  readonly id: string;
  readonly pilot: string;
  /** Where it lies once it has been packed. */
  readonly output: OutputRange | null;
  readonly final: boolean;
}

/** Answers of an agent that has no output to give at the moment. */
const NOTHING_THERE: ReadonlySet<string> = new Set(['NODE_LOST', 'TASK_NOT_FOUND']);

const NOTHING: LogChunk = { text: '', offset: 0, next: 0, size: 0, complete: false };

/** Reads output: packed in the pilot's folder after the end; before that from the agent, or from its files on this host. */
export class OutputReader {
  constructor(private readonly context: Context) {}

  async read(owner: OutputOwner, range: LogRange): Promise<LogChunk> {
    if (owner.output !== null) {
      const { offset, length } = owner.output[range.stream];
      const file = join(this.context.config.home, 'pilots', owner.pilot, owner.output.file);
      return readRange(file, offset, length, range, true);
    }
    if (this.context.link.connected(owner.pilot) && !owner.final) {
      try {
        const reply = await this.context.link.ask(owner.pilot, { type: 'log', id: owner.id, ...range });
        if (reply.log !== undefined) return reply.log;
      } catch (error) {
        // It has not begun, or its agent is starting again; files that are there can still be read.
        if (!(error instanceof PilothouseError && NOTHING_THERE.has(error.code))) throw error;
      }
    }
    const suffix = range.stream === 'stdout' ? 'out' : 'err';
    const live = join(this.context.config.runtimeDir, 'p', owner.pilot, `${owner.id}.${suffix}`);
    return readRange(live, 0, null, range, owner.final);
  }
}

/**
 * Reads a part of a byte range of a file as text, ending between characters.
 *
 * @param length - of the range; null: to the end of the file
 * @param complete - whether the range grows no more
 * @throws PilothouseError DATA_NOT_FOUND when a range that is known to hold something is gone with its file
 */
export async function readRange(
  path: string,
  start: number,
  length: number | null,
  range: LogRange,
  complete: boolean,
): Promise<LogChunk> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (!isMissing(error)) throw error;
    if (length !== null && length > 0) throw outputRemoved(path, error);
    return { ...NOTHING, complete };
  }
  try {
    const size = length ?? (await handle.stat()).size - start;
    const offset = range.offset < 0 ? Math.max(0, size + range.offset) : Math.min(range.offset, size);
    const buffer = Buffer.alloc(Math.min(range.limit, size - offset));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start + offset);
    const atEnd = offset + bytesRead >= size && complete;
    const end = atEnd ? bytesRead : wholeCharacters(buffer, bytesRead);
    const next = offset + end;
    return { text: buffer.toString('utf8', 0, end), offset, next, size, complete: complete && next >= size };
  } finally {
    await handle.close();
  }
}

/** The error of output that was there, and is not any more. */
function outputRemoved(path: string, cause: unknown): PilothouseError {
  return new PilothouseError('DATA_NOT_FOUND', 'the output was removed since', {
    hint: 'Old output goes by itself, to stay within limits; with ownFiles and stageOut you keep yours, or raise PILOTHOUSE_KEEP_SIZE.',
    evidence: path,
    cause,
  });
}

/** How many bytes end with a whole UTF-8 character; all of them where that would leave nothing. */
export function wholeCharacters(buffer: Buffer, length: number): number {
  for (let back = 1; back <= Math.min(4, length); back += 1) {
    const byte = buffer[length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back && length - back > 0 ? length - back : length;
  }
  return length;
}
