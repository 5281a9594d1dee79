import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { PilothouseError } from '@pilothouse/sdk/internal';

interface Waiting {
  readonly text: string;
  readonly durable: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A file of lines that only grows. Everything that arrives while a write is under way goes out with the next one and
 * shares its fdatasync (group commit), so many callers cost hardly more than one.
 */
export class AppendFile {
  #handle: Promise<FileHandle> | undefined;
  #queue: Waiting[] = [];
  #running: Promise<void> | undefined;
  #failure: PilothouseError | undefined;
  #size = 0;

  /** @param path - made at the first append, 0600 */
  constructor(readonly path: string) {}

  /** Bytes that stand in the file. */
  get size(): number {
    return this.#size;
  }

  /**
   * Appends lines, in order of calls.
   *
   * @param lines - without newlines
   * @param durable - resolve only once they are on disk; else once the system has them
   * @throws PilothouseError STATE_UNREACHABLE when the file cannot be written; then for every later call too, since what
   *   was acknowledged afterwards could not be found again
   */
  append(lines: readonly string[], durable = true): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (lines.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#queue.push({ text: `${lines.join('\n')}\n`, durable, resolve, reject });
      this.#running ??= this.#drain();
    });
  }

  /** Waits for what is under way, then closes the file. */
  async close(): Promise<void> {
    await this.#running;
    if (this.#handle !== undefined) await (await this.#handle).close();
    this.#handle = undefined;
  }

  async #drain(): Promise<void> {
    // One turn later, so that everything asked for in this turn shares the write.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      try {
        const handle = await this.#open();
        const bytes = Buffer.from(batch.map((entry) => entry.text).join(''));
        await writeAll(handle, bytes);
        if (batch.some((entry) => entry.durable)) await handle.datasync();
        this.#size += bytes.length;
        for (const entry of batch) entry.resolve();
      } catch (cause) {
        const failure = new PilothouseError('STATE_UNREACHABLE', `${this.path} cannot be written`, {
          hint: 'Check that the file system is there and has space, then run "pilothouse bridge stop" and connect again.',
          cause,
        });
        this.#failure = failure;
        for (const entry of [...batch, ...this.#queue]) entry.reject(failure);
        this.#queue = [];
      }
    }
    this.#running = undefined;
  }

  async #open(): Promise<FileHandle> {
    this.#handle ??= open(this.path, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND, 0o600);
    const handle = await this.#handle;
    if (this.#size === 0) {
      const { size } = await handle.stat();
      // A torn last line of an earlier writer of this file ends here: the next line must start a line of its own.
      if (size > 0 && !(await endsWithNewline(this.path, size))) await writeAll(handle, Buffer.from('\n'));
      this.#size = (await handle.stat()).size;
    }
    return handle;
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer): Promise<void> {
  let offset = 0;
  while (offset < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, offset, bytes.length - offset);
    offset += bytesWritten;
  }
}

async function endsWithNewline(path: string, size: number): Promise<boolean> {
  const handle = await open(path, 'r');
  try {
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer[0] === 10;
  } finally {
    await handle.close();
  }
}
