import { constants, ftruncateSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { PilothouseError } from '@pilothouse/sdk/internal';

interface Waiting {
  readonly text: string;
  readonly durable: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Milliseconds between two attempts of a patient file on a full disk. */
const RETRY_MS = 1000;
/** Milliseconds after which what was to be durable soon is. */
const SOON_MS = 20;
/** Bytes up to which writing at once costs less than asking somebody to. */
const AT_ONCE = 64 * 1024;

/**
 * A file of lines that only grows. Everything that arrives while a write is under way goes out with the next one and
 * shares its fdatasync (group commit), so many callers cost hardly more than one.
 *
 * Where there is no room, the file is cut back to what it held before: nothing of a refused append is ever found again,
 * and the next one may succeed.
 */
export class AppendFile {
  #handle: Promise<FileHandle> | undefined;
  #queue: Waiting[] = [];
  #running: Promise<void> | undefined;
  #failure: PilothouseError | undefined;
  #size = 0;
  #fd: number | undefined;
  #syncTimer: NodeJS.Timeout | undefined;
  readonly #patient: boolean;
  readonly #closing = new AbortController();

  /**
   * @param path - made at the first append, 0600
   * @param patient - on a full disk wait for room, instead of refusing
   */
  constructor(
    readonly path: string,
    { patient = false }: { readonly patient?: boolean } = {},
  ) {
    this.#patient = patient;
  }

  /** Bytes that stand in the file. */
  get size(): number {
    return this.#size;
  }

  /**
   * Appends lines, in order of calls.
   *
   * @param lines - without newlines
   * @param durable - resolve only once they are on disk; else once the system has them, and with `soon` the disk follows
   *   within 20 ms
   * @throws PilothouseError STATE_UNREACHABLE when the file cannot be written. Retryable where only room was missing;
   *   otherwise for every later call too, since what was acknowledged afterwards could not be found again
   */
  append(lines: readonly string[], durable: boolean | 'soon' = true): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (lines.length === 0) return Promise.resolve();
    const text = `${lines.join('\n')}\n`;
    if (durable === 'soon') {
      this.#syncSoon();
      if (this.#writeAtOnce(text)) return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ text, durable: durable === true, resolve, reject });
      this.#running ??= this.#drain();
    });
  }

  /** Waits for what is under way, then closes the file. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    if (this.#handle === undefined) return;
    const handle = await this.#handle;
    this.#fd = undefined;
    this.#handle = undefined;
    if (this.#syncTimer !== undefined) await handle.datasync();
    clearTimeout(this.#syncTimer);
    this.#syncTimer = undefined;
    await handle.close();
  }

  /** Writes a short text without waiting for anybody; false where that cannot be done now. */
  #writeAtOnce(text: string): boolean {
    if (this.#running !== undefined || this.#fd === undefined || text.length > AT_ONCE) return false;
    const bytes = Buffer.from(text);
    try {
      for (let offset = 0; offset < bytes.length; ) offset += writeSync(this.#fd, bytes, offset);
    } catch {
      // The usual way meets the same trouble, and knows what to do about it.
      ftruncateSync(this.#fd, this.#size);
      return false;
    }
    this.#size += bytes.length;
    return true;
  }

  #syncSoon(): void {
    this.#syncTimer ??= setTimeout(() => {
      this.#syncTimer = undefined;
      this.#sync().catch((cause: unknown) => {
        this.#failure ??= this.#cannot(cause);
      });
    }, SOON_MS);
  }

  async #sync(): Promise<void> {
    await this.#running;
    if (this.#handle !== undefined) await (await this.#handle).datasync();
  }

  async #drain(): Promise<void> {
    // One turn later, so that everything asked for in this turn shares the write.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      try {
        await this.#store(batch);
        for (const entry of batch) entry.resolve();
      } catch (cause) {
        const refused = isFull(cause) ? [] : this.#queue.splice(0);
        const failure = this.#cannot(cause);
        if (!failure.retryable) this.#failure = failure;
        for (const entry of [...batch, ...refused]) entry.reject(failure);
      }
    }
    this.#running = undefined;
  }

  async #store(batch: readonly Waiting[]): Promise<void> {
    const bytes = Buffer.from(batch.map((entry) => entry.text).join(''));
    for (;;) {
      try {
        await this.#write(
          bytes,
          batch.some((entry) => entry.durable),
        );
        break;
      } catch (error) {
        if (!this.#patient || !isFull(error) || this.#closing.signal.aborted) throw error;
        // Woken by `close` too; then the next attempt is the last.
        await delay(RETRY_MS, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      }
    }
    this.#size += bytes.length;
  }

  async #write(bytes: Buffer, durable: boolean): Promise<void> {
    const handle = await this.#open();
    try {
      await writeAll(handle, bytes);
      if (durable) await handle.datasync();
    } catch (error) {
      await handle.truncate(this.#size);
      throw error;
    }
  }

  #cannot(cause: unknown): PilothouseError {
    const full = isFull(cause);
    const room = 'Make room on its file system, then try again.';
    const other = 'Check that the file system is there, then run "pilothouse bridge stop" and connect again.';
    return new PilothouseError(
      'STATE_UNREACHABLE',
      `${this.path} cannot be written${full ? ': the disk is full' : ''}`,
      {
        hint: full ? room : other,
        retryable: full,
        cause,
      },
    );
  }

  async #open(): Promise<FileHandle> {
    this.#handle ??= open(this.path, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND, 0o600).catch(
      (error) => {
        this.#handle = undefined;
        throw error;
      },
    );
    const handle = await this.#handle;
    if (this.#size === 0) {
      const { size } = await handle.stat();
      // A torn last line of an earlier writer of this file ends here: the next line must start a line of its own.
      if (size > 0 && !(await endsWithNewline(this.path, size))) await writeAll(handle, Buffer.from('\n'));
      this.#size = (await handle.stat()).size;
    }
    this.#fd = handle.fd;
    return handle;
  }
}

/** No room, or none left for this user. */
function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
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
