import { type FileHandle, mkdir, open, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type LogChunk, type OutputRange, PilothouseError } from '@pilothouse/sdk/shared';

/** Which of the two outputs of a process. */
export type OutputStream = 'stdout' | 'stderr';

const SUFFIX = { stdout: 'out', stderr: 'err' } as const;
const COPY_BYTES = 1 << 20;
const TAIL_BYTES = 4096;
const TAIL_LINES = 20;

/**
 * Output of tasks and instances. While one runs, its two files lie on the node; at the end they go into one file per
 * agent in the pilot's folder, since two files for each of many tasks are more than a shared file system bears.
 */
export class Output {
  readonly #liveFolder: string;
  readonly #folder: string;
  readonly #packName: string;
  readonly #packed = new Map<string, OutputRange>();
  #pack: FileHandle | undefined;
  #packSize = 0;
  #packing: Promise<unknown> = Promise.resolve();

  /**
   * @param liveFolder - node-local folder
   * @param folder - the pilot's folder
   * @param epoch - of this agent; names its file
   */
  constructor(liveFolder: string, folder: string, epoch: number) {
    this.#liveFolder = liveFolder;
    this.#folder = folder;
    this.#packName = `output/${epoch}.log`;
  }

  async prepare(): Promise<void> {
    await mkdir(this.#liveFolder, { recursive: true, mode: 0o700 });
    await mkdir(join(this.#folder, 'output'), { recursive: true, mode: 0o700 });
    // There from the start, so that a range of nothing can be read too.
    this.#pack = await open(join(this.#folder, this.#packName), 'a', 0o600);
  }

  /** Where a running process writes. */
  livePath(id: string, stream: OutputStream): string {
    return join(this.#liveFolder, `${id}.${SUFFIX[stream]}`);
  }

  /** Tells where the output of something that ended earlier lies. */
  remember(id: string, range: OutputRange): void {
    this.#packed.set(id, range);
  }

  /** Moves the output of something that has ended into the packed file. The node's files stay until {@link discard}. */
  pack(id: string): Promise<OutputRange> {
    const packing = this.#packing.then(async () => {
      const stdout = await this.#copy(this.livePath(id, 'stdout'));
      const stderr = await this.#copy(this.livePath(id, 'stderr'));
      const range: OutputRange = { file: this.#packName, stdout, stderr };
      this.#packed.set(id, range);
      return range;
    });
    // The next one goes on where this one stopped, whatever became of it.
    this.#packing = packing.catch(() => undefined);
    return packing;
  }

  /** Removes the node's files of something whose end is in the journal. */
  async discard(id: string): Promise<void> {
    for (const stream of ['stdout', 'stderr'] as const) await unlink(this.livePath(id, stream)).catch(ignoreMissing);
  }

  /** Bytes that a process has written to stderr so far. */
  stderrSize(id: string): Promise<number> {
    return sizeOf(this.livePath(id, 'stderr'));
  }

  /** The last lines of what a process has written to stderr since an offset, at most 4 KiB. */
  async stderrTail(id: string, since = 0): Promise<string> {
    const size = await sizeOf(this.livePath(id, 'stderr'));
    const from = Math.max(since, size - TAIL_BYTES);
    const bytes = await readRange(this.livePath(id, 'stderr'), from, size - from);
    const lines = bytes.toString('utf8').trimEnd().split('\n');
    // A cut first line says little and may begin inside a character.
    const whole = from > since ? lines.slice(1) : lines;
    return whole.slice(-TAIL_LINES).join('\n');
  }

  /**
   * Reads a piece of an output, live or packed.
   *
   * @param expected - whether it is known and may still write: then no output yet is an empty one
   * @throws PilothouseError TASK_NOT_FOUND when nothing of that id has run here
   */
  async read(id: string, stream: OutputStream, offset: number, limit: number, expected = false): Promise<LogChunk> {
    const packed = this.#packed.get(id);
    if (packed) {
      const { offset: start, length } = packed[stream];
      const from = startOf(offset, length);
      const bytes = await readRange(join(this.#folder, packed.file), start + from, Math.min(limit, length - from));
      return chunk(bytes, from, length, true);
    }
    const path = this.livePath(id, stream);
    const found = await stat(path).catch(ignoreMissing);
    if (found === undefined) {
      if (expected) return { text: '', offset: 0, next: 0, size: 0, complete: false };
      throw new PilothouseError('TASK_NOT_FOUND', `there is no output of ${id} on this node`, {
        hint: 'It has not started yet, or it ran on another pilot.',
      });
    }
    const from = startOf(offset, found.size);
    return chunk(await readRange(path, from, Math.min(limit, found.size - from)), from, found.size, false);
  }

  async #copy(path: string): Promise<{ offset: number; length: number }> {
    const offset = this.#packSize;
    if ((await sizeOf(path)) === 0) return { offset, length: 0 };
    const pack = this.#pack;
    if (pack === undefined) throw new Error('output is packed before it was prepared');
    const source = await open(path, 'r');
    try {
      const buffer = Buffer.alloc(COPY_BYTES);
      for (;;) {
        const { bytesRead } = await source.read(buffer, 0, buffer.length);
        if (bytesRead === 0) break;
        await pack.appendFile(buffer.subarray(0, bytesRead));
        this.#packSize += bytesRead;
      }
    } catch (error) {
      // What was copied is of no use, and takes room where there is none: the node's file stays the only one.
      await pack.truncate(offset);
      this.#packSize = offset;
      throw error;
    } finally {
      await source.close();
    }
    return { offset, length: this.#packSize - offset };
  }
}

/** Where reading starts: never past the end; a negative offset counts from there. */
function startOf(offset: number, size: number): number {
  return offset < 0 ? Math.max(0, size + offset) : Math.min(offset, size);
}

function chunk(bytes: Buffer, offset: number, size: number, packed: boolean): LogChunk {
  const atEnd = offset + bytes.length >= size;
  // A character that is cut here comes whole with the next piece.
  const whole = atEnd && packed ? bytes : bytes.subarray(0, wholeCharacters(bytes));
  const used = whole.length > 0 ? whole : bytes;
  const next = offset + used.length;
  return { text: used.toString('utf8'), offset, next, size, complete: packed && next >= size };
}

/** Bytes up to the end of the last whole UTF-8 character. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte >= 0xc0) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return needed > back ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}

async function readRange(path: string, offset: number, length: number): Promise<Buffer> {
  if (length <= 0) return Buffer.alloc(0);
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(ignoreMissing))?.size ?? 0;
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
