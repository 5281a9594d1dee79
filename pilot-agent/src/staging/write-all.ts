import type { FileHandle } from 'node:fs/promises';

/** Writes all of it: a disk that is nearly full takes a part, and refuses only the next. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, length: number, at: number): Promise<void> {
  for (let written = 0; written < length; ) {
    const { bytesWritten } = await file.write(bytes, written, length - written, at + written);
    written += bytesWritten;
  }
}
