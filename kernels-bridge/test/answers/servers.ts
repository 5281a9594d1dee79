import type { ServerResponse } from 'node:http';
import { beginStream, recorded, serve } from './harness.js';

export const STREAM = recorded('llama-server-answer.sse');
/** Pieces of text in it. */
export const PIECES = 60;

/** Servers that reply with recorded streams; all are gone after `close`. */
export class Servers {
  readonly #open: { close(): Promise<unknown> }[] = [];

  /** A server that replies at once with the whole stream. */
  async replay(bytes: Buffer = STREAM) {
    return this.keep(
      await serve((_, response) => {
        beginStream(response)(bytes);
        response.end();
      }),
    );
  }

  /** A server whose streams the test drives; `next` resolves with each response as it begins. */
  async driven() {
    const responses: ServerResponse[] = [];
    const waiting: ((response: ServerResponse) => void)[] = [];
    const server = this.keep(
      await serve((_, response) => {
        const next = waiting.shift();
        if (next === undefined) responses.push(response);
        else next(response);
      }),
    );
    const next = () => {
      const ready = responses.shift();
      return ready === undefined
        ? new Promise<ServerResponse>((resolve) => waiting.push(resolve))
        : Promise.resolve(ready);
    };
    return { ...server, next };
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((server) => server.close()));
  }

  /** Closes a server with the others. */
  keep<S extends { close(): Promise<unknown> }>(server: S): S {
    this.#open.push(server);
    return server;
  }
}

/** Resolves once the client has gone or the reply has ended. */
export const closed = (response: ServerResponse) =>
  new Promise<void>((resolve) => (response.closed ? resolve() : response.once('close', resolve)));
