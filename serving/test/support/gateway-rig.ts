import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { routingSchema, type ServiceApi } from '@pilothouse/sdk/shared';
import { z } from 'zod';
import { BalancedRoute, type Directory, Gateway, type GatewayOptions } from '../../src/index.js';

const opened: (() => Promise<unknown>)[] = [];

/** Closes all that was opened since. */
export async function closeAll(): Promise<void> {
  await Promise.all(opened.splice(0).map((close) => close()));
}

/** A model server of the test's own making. */
export interface Backend {
  readonly url: string;
  readonly server: Server;
  /** Requests as they came, bodies parsed. */
  readonly seen: { readonly headers: IncomingMessage['headers']; readonly url: string; readonly body: unknown }[];
}

type Answer = (request: IncomingMessage, response: ServerResponse, body: unknown) => void;

export async function backend(answer: Answer): Promise<Backend> {
  const seen: { headers: IncomingMessage['headers']; url: string; body: unknown }[] = [];
  const { server, url } = await listen((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const text = Buffer.concat(parts).toString();
      const body: unknown = text.startsWith('{') ? JSON.parse(text) : text;
      seen.push({ headers: request.headers, url: request.url ?? '', body });
      answer(request, response, body);
    });
  });
  return { url, server, seen };
}

export async function listen(listener: RequestListener): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { server, url: `http://127.0.0.1:${portOf(server)}` };
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

export interface ServiceOptions {
  readonly name?: string;
  readonly api?: ServiceApi;
  readonly model?: string | null;
  readonly routing?: z.input<typeof routingSchema>;
  /** Addresses of its instances. */
  readonly urls: readonly string[];
}

export interface Rig {
  readonly url: string;
  readonly routes: ReadonlyMap<string, BalancedRoute>;
}

/** A gateway in front of services, on a port of loopback. */
export async function gateway(
  services: readonly ServiceOptions[],
  more: Partial<Pick<GatewayOptions, 'authorize' | 'imageFolders'>> = {},
): Promise<Rig> {
  const routes = new Map(services.map((service) => [service.name ?? 'llm', route(service)]));
  const directory: Directory = { find: (name) => routes.get(name), list: () => [...routes.values()] };
  const router = new Gateway({ directory, log: (text, error) => console.error(text, error), ...more });
  const { url } = await listen((request, response) => router.handle(request, response));
  opened.push(() => router.close());
  return { url, routes };
}

function route({ name = 'llm', api = 'openai', model = 'weights', routing = {}, urls }: ServiceOptions): BalancedRoute {
  const parsed = routingSchema.parse(routing);
  const made = new BalancedRoute(
    { id: `service-${name}`, name, api, model, routing: { ...parsed, concurrency: parsed.concurrency ?? 64 } },
    { models: async () => ['first-listed'] },
  );
  made.update(
    urls.map((url, at) => ({
      id: `${name}.${at + 1}`,
      index: at + 1,
      roundTrip: 0,
      endpoint: { url, ports: {}, keyFile: null, serverKey: null },
    })),
  );
  return made;
}

/** One piece of a streamed answer. */
export function delta(content: string, finish: string | null = null): string {
  return `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;
}

export const EVENTS = { 'content-type': 'text/event-stream' };

export function answerJson(response: ServerResponse, text: string): void {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ choices: [{ message: { role: 'assistant', content: text } }] }));
}

/** Asks for a chat. */
export function chat(url: string, more: object = {}, init: RequestInit = {}): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    ...init,
    headers: { 'content-type': 'application/json', ...init.headers },
    body: JSON.stringify({ model: 'llm', messages: [{ role: 'user', content: 'hello' }], ...more }),
  });
}

const errorSchema = z.object({
  error: z.looseObject({ message: z.string(), code: z.string(), type: z.string(), param: z.string().nullable() }),
});

/** Status and error of an answer, in the form of OpenAI's API. */
export async function errorOf(response: Response) {
  return [response.status, errorSchema.parse(await response.json()).error] as const;
}

/** Looks until something holds. */
export async function until(what: () => boolean, why: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!what()) {
    if (Date.now() > deadline) throw new Error(`not within 30 s: ${why}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
