import { createServer, connect as dial, type Server, type Socket } from 'node:net';

/** Passes bytes between clients and a unix socket, and breaks each connection after so many bytes from the far side. */
export class CuttingProxy {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  /** Connections broken so far. */
  cuts = 0;

  /** @param budgets - bytes let through on the first connection, the second …; afterwards all */
  constructor(
    readonly path: string,
    target: string,
    budgets: readonly number[],
  ) {
    const waiting = [...budgets];
    this.#server = createServer((client) => {
      let budget = waiting.shift() ?? Number.POSITIVE_INFINITY;
      const bridge = dial(target);
      for (const socket of [client, bridge]) {
        this.#open.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          this.#open.delete(socket);
          client.destroy();
          bridge.destroy();
        });
      }
      client.on('data', (data) => bridge.write(data));
      bridge.on('data', (data) => {
        client.write(data.subarray(0, budget));
        budget -= data.length;
        if (budget > 0) return;
        this.cuts += 1;
        client.destroySoon();
      });
    });
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(this.path, resolve));
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
