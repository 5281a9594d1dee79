import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { PilothouseError } from '@pilothouse/sdk/shared';

/** Where services listen: this node alone. */
export const SERVICE_HOST = '127.0.0.1';

/** Below these, programs of the system and of the site listen. */
const LOWEST = 15_000;
/** Where the ports begin that Linux takes for outgoing connections, where it does not say so itself. */
const USUAL_EPHEMERAL = 32_768;
const TRIES = 100;

/**
 * The ports of a pilot's services. They come from below the range from which the system takes ports for outgoing
 * connections, so that no probe or request can take one away between the moment it is chosen and the moment the service
 * listens; and none is given to two instances.
 */
export class Ports {
  readonly #taken = new Set<number>();
  #next: number | undefined;
  #end = USUAL_EPHEMERAL;

  /** A port that is free on loopback at this moment, and is nobody else's here. */
  async free(): Promise<number> {
    if (this.#next === undefined) await this.#begin();
    for (let tried = 0; tried < TRIES && this.#end > LOWEST; tried += 1) {
      const port = this.#step();
      if (this.#taken.has(port)) continue;
      // Taken before it is looked at, so that nobody else looks at it meanwhile.
      this.#taken.add(port);
      if (await isFree(port)) return port;
      this.#taken.delete(port);
    }
    return this.#fromSystem();
  }

  /**
   * Takes the port that a description names.
   *
   * @throws PilothouseError PORT_IN_USE
   */
  async fixed(port: number): Promise<number> {
    if (!this.#taken.has(port)) {
      this.#taken.add(port);
      if (await isFree(port)) return port;
      this.#taken.delete(port);
    }
    throw new PilothouseError('PORT_IN_USE', `port ${port}, which the description names, is in use`, {
      hint: 'Leave the port out, so that a free one is chosen, or end what listens there.',
      field: 'ports',
    });
  }

  /** An earlier agent has given it. */
  keep(port: number): void {
    this.#taken.add(port);
  }

  giveBack(port: number): void {
    this.#taken.delete(port);
  }

  async #begin(): Promise<void> {
    const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => '');
    this.#end = Number.parseInt(range, 10) || USUAL_EPHEMERAL;
    // Agents of one node begin at different places, so that they rarely want the same.
    this.#next ??= LOWEST + Math.floor(Math.random() * Math.max(1, this.#end - LOWEST));
  }

  #step(): number {
    const port = this.#next ?? LOWEST;
    this.#next = port + 1 >= this.#end ? LOWEST : port + 1;
    return port;
  }

  async #fromSystem(): Promise<number> {
    for (;;) {
      const port = await listenOn(0);
      if (port === undefined) throw new Error('the system gives no port');
      if (this.#taken.has(port)) continue;
      this.#taken.add(port);
      return port;
    }
  }
}

async function isFree(port: number): Promise<boolean> {
  return (await listenOn(port)) !== undefined;
}

/** Listens for a moment; the port, or undefined where that is not possible. */
function listenOn(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(undefined));
    server.listen({ host: SERVICE_HOST, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}
