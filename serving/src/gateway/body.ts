import type { IncomingMessage } from 'node:http';
import { PilothouseError } from '@pilothouse/sdk/shared';

/** Largest body of one request: room for a few images. */
export const MAX_BODY = 32 * 1024 * 1024;

/** Bytes of bodies that may be held at a time, so that many clients that wait cannot fill the memory. */
export class Budget {
  #held = 0;

  constructor(readonly limit: number) {}

  take(bytes: number): void {
    if (this.#held + bytes > this.limit) {
      throw new PilothouseError('QUEUE_FULL', 'the requests that are being served or wait are too large together', {
        hint: 'Ask again later, or send smaller images.',
        retryAfter: 5,
      });
    }
    this.#held += bytes;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }

  get held(): number {
    return this.#held;
  }
}

const EMPTY = Buffer.alloc(0);

/** Reads the whole body of a request. What is held counts in the budget until the caller gives it back. */
export function readBody(request: IncomingMessage, budget: Budget): Promise<Buffer> {
  const length = request.headers['content-length'];
  if (length === undefined && request.headers['transfer-encoding'] === undefined) return Promise.resolve(EMPTY);
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    let settled = false;
    const fail = (error: Error): void => {
      if (settled) return;
      settled = true;
      budget.give(size);
      // What still comes is read and thrown away, so that the client gets to read the answer.
      request.removeAllListeners('data').resume();
      reject(error);
    };
    if (Number(length) > MAX_BODY) {
      fail(tooLarge());
      return;
    }
    request.on('data', (part: Buffer) => {
      try {
        if (size + part.length > MAX_BODY) throw tooLarge();
        budget.take(part.length);
      } catch (error) {
        fail(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      size += part.length;
      parts.push(part);
    });
    request.on('end', () => {
      if (settled) return;
      settled = true;
      const [only] = parts;
      resolve(parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, size));
    });
    request.on('close', () => fail(new Error('the client went away while it was sending')));
  });
}

function tooLarge(): PilothouseError {
  return new PilothouseError('FILE_TOO_LARGE', `the request is larger than ${MAX_BODY / 1024 / 1024} MiB`, {
    hint: 'Send smaller images, or name them by path where the service runs.',
  });
}
