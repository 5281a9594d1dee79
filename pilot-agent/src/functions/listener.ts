import { chmodSync, mkdirSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { PilothouseError } from '@pilothouse/sdk/shared';
import { log } from '../log.js';
import { FrameReader } from './frames.js';
import { type WorkerMessage, workerMessageSchema } from './messages.js';

/** What the address of a unix socket holds. */
const LONGEST_PATH = 107;

/** Hears what workers say. */
export interface Listening {
  /** The first message of a connection. @returns whom its further messages come from; undefined: it is not known here */
  greeted(hello: Extract<WorkerMessage, { type: 'hello' }>, socket: Socket): string | undefined;
  said(worker: string, message: WorkerMessage): void;
  /** All that has come together has been said. */
  settled(worker: string): void;
  gone(worker: string, socket: Socket): void;
}

/** The socket on which workers call back: only their owner's processes can reach it. */
export class Listener {
  readonly path: string;
  readonly #server: Server;

  /** @throws PilothouseError INVALID_DESCRIPTION when the path is too long for a socket */
  constructor(path: string, listening: Listening) {
    if (Buffer.byteLength(path) > LONGEST_PATH) {
      throw new PilothouseError('INVALID_DESCRIPTION', `${path} is too long for a socket`, {
        hint: 'Set PILOTHOUSE_RUNTIME_DIR to a shorter path.',
      });
    }
    this.path = path;
    this.#server = createServer((socket) => serve(socket, listening));
  }

  /** Listens where an earlier agent did: its workers come back. */
  async open(): Promise<void> {
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
    remove(this.path);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.path, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    chmodSync(this.path, 0o600);
  }

  close(): void {
    this.#server.close();
    remove(this.path);
  }
}

function serve(socket: Socket, listening: Listening): void {
  const frames = new FrameReader();
  let worker: string | undefined;
  socket.on('data', (piece: Buffer) => {
    try {
      for (const value of frames.read(piece)) {
        const message = isResults(value) ? value : workerMessageSchema.parse(value);
        if (worker !== undefined) listening.said(worker, message);
        else if (message.type === 'hello') worker = listening.greeted(message, socket);
        if (worker === undefined) {
          socket.destroy();
          return;
        }
      }
      if (worker !== undefined) listening.settled(worker);
    } catch (error) {
      // Whoever speaks like this is no worker any more: a function may have written to its socket.
      log(`a worker does not make sense${worker === undefined ? '' : ` (${worker})`}`, error);
      socket.destroy();
    }
  });
  socket.on('error', (error) => log(`the connection of a worker broke (${worker ?? 'not known yet'})`, error));
  socket.on('close', () => {
    if (worker !== undefined) listening.gone(worker, socket);
  });
}

/** Checked by hand: there are thousands of them a second. */
function isResults(value: unknown): value is Extract<WorkerMessage, { type: 'results' }> {
  if (typeof value !== 'object' || value === null || !('type' in value) || value.type !== 'results') return false;
  return 'results' in value && Array.isArray(value.results);
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
