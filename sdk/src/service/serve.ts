import { PilothouseError } from '../errors/index.js';
import type { DefinedService } from '../service-definition/index.js';
import { type ServiceSettings, serviceSettings } from './keys.js';
import { ServiceServer } from './server.js';
import type { RunOptions, Served, ServeOptions } from './types.js';

const DRAIN_TIMEOUT = 30_000;

/**
 * Serves a service from this process: several calls at once, in pieces where the handler is an async generator, in batches
 * where `batch` asks for it. Started by Pilothouse it takes address and keys from its environment; started by hand it makes
 * its own and prints how to attach it. SIGTERM drains it.
 *
 * @throws PilothouseError INVALID_DESCRIPTION for options that do not fit the definition; PORT_IN_USE
 * @example
 * ```ts
 * await serve(doseResponse, { concurrency: 4, handler: async ({ dose, response }, { signal }) => fit(dose, response, signal) });
 * ```
 */
export async function serve<S extends DefinedService>(service: S, options: ServeOptions<S>): Promise<Served> {
  const run: RunOptions = options;
  const settings = await serviceSettings(service.name, run.address);
  const server = new ServiceServer(service, settings, options);
  const address = await listen(server, settings);
  let closing: Promise<void> | undefined;
  let settle = () => {};
  const closed = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const drain = () => server.drain(run.drainTimeout ?? DRAIN_TIMEOUT);
  const close = () => {
    closing ??= drain().then(() => {
      server.close();
      settle();
    });
    return closing;
  };
  if (run.handleSignals !== false) endOnSignal(close);
  if (settings.byHand && run.announce !== false) sayHowToAttach(settings, address);
  const { name, publicKey: serverKey, keyFile } = settings;
  return {
    name,
    address,
    serverKey,
    keyFile,
    get outstanding() {
      return server.outstanding;
    },
    drain,
    close,
    closed,
  };
}

async function listen(server: ServiceServer, { name, address }: ServiceSettings): Promise<string> {
  try {
    return await server.listen();
  } catch (cause) {
    server.close();
    const taken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
    throw new PilothouseError(taken ? 'PORT_IN_USE' : 'INVALID_DESCRIPTION', `${name} cannot listen at ${address}.`, {
      hint: taken ? 'Choose another port, or end what listens there.' : 'Give an address such as tcp://127.0.0.1:5555.',
      cause,
    });
  }
}

function endOnSignal(close: () => Promise<void>): void {
  let asked = false;
  const end = () => {
    // The second one does not wait.
    if (asked) process.exit(130);
    asked = true;
    void close().then(() => process.exit(0));
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

function sayHowToAttach({ name, keyFile, publicKey }: ServiceSettings, address: string): void {
  const lines = [
    `${name} answers at ${address}`,
    `Attach it once its token is stored: pilothouse credentials add ${name} < ${keyFile}`,
    `  TypeScript: await session.services.attach({ url: '${address}', serverKey: '${publicKey}', credential: '${name}' })`,
    `  Python:     s.services.attach("${address}", server_key="${publicKey}", credential="${name}")`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
