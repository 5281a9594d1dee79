import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ChunkBatch,
  newId,
  type Origin,
  type ServiceRecord,
  serviceDescriptionSchema,
} from '@pilothouse/sdk/internal';
import { createAdapters } from '@pilothouse/serving';
import { systemClock } from '../../src/clock.js';
import { Credentials } from '../../src/credentials/credentials.js';
import type { Logger } from '../../src/logger.js';
import { AnswerManager } from '../../src/managers/answers/answer-manager.js';
import { Targets } from '../../src/managers/answers/targets.js';
import { Names } from '../../src/managers/names.js';
import { Keys } from '../../src/picture/keys.js';
import { Picture } from '../../src/picture/picture.js';
import { ServiceDirectory } from '../../src/router/service-directory.js';

export const ORIGIN: Origin = { name: 'test.ipynb', kind: 'node', env: {} };

export const recorded = (name: string): Buffer =>
  readFileSync(new URL(`../../../serving/test/fixtures/${name}`, import.meta.url));

/** A folder of its own for each use, removed by `dispose`. */
export function scratchFolder(): { readonly path: string; dispose(): void } {
  const path = mkdtempSync(join(tmpdir(), 'ph-ans-'));
  return { path, dispose: () => rmSync(path, { recursive: true, force: true }) };
}

/** The parts of a bridge that answers need, over a state root. Opening it again with a higher epoch is a restart. */
export async function openAnswers(home: string, epoch = 1, limit = 64) {
  const errors: string[] = [];
  const logger: Logger = {
    info: () => undefined,
    warn: (text) => errors.push(text),
    error: (text, error) => errors.push(`${text} ${error}`),
  };
  const picture = new Picture();
  const keys = new Keys();
  const names = new Names(picture);
  const adapters = createAdapters();
  const credentials = new Credentials(home);
  const targets = new Targets(credentials, adapters, picture);
  const directory = new ServiceDirectory({
    picture,
    clock: systemClock,
    link: { send: () => false },
    concurrency: () => limit,
    targetOf: (service, instance, signal) => targets.of(service, instance, signal),
  });
  const answers = new AnswerManager({
    home,
    epoch,
    clock: systemClock,
    logger,
    picture,
    keys,
    names,
    directory,
    adapters,
    targets,
  });
  await answers.load();
  return {
    answers,
    picture,
    keys,
    names,
    directory,
    adapters,
    credentials,
    errors,
    logger,
    close: async () => {
      directory.close();
      await answers.close();
      adapters.close();
    },
  };
}

export type Parts = Awaited<ReturnType<typeof openAnswers>>;

/** A service record with READY instances at these base URLs. */
export function serviceAt(urls: readonly string[], name = 'model'): ServiceRecord {
  const t = new Date().toISOString();
  const contact = { lost: false, since: t };
  return {
    kind: 'service',
    id: newId('service'),
    name,
    seq: 0,
    state: 'READY',
    since: t,
    reason: null,
    contact,
    error: null,
    times: { READY: t },
    owner: ORIGIN.name,
    createdAt: t,
    endedAt: null,
    api: 'openai',
    origin: 'launched',
    description: serviceDescriptionSchema.parse({ template: 'smollm2' }),
    template: 'smollm2',
    pilot: null,
    model: 'smollm2',
    url: null,
    credential: null,
    openToNode: true,
    instances: urls.map((http, index) => ({
      id: newId('instance'),
      index: index + 1,
      state: 'READY',
      since: t,
      reason: null,
      contact,
      attempt: 1,
      endpoint: { url: http, ports: { http }, keyFile: null, serverKey: null },
      bootstrap: null,
      probe: { ok: true, at: t, latency: 1, text: 'ok' },
      probes: {},
      progress: null,
      draining: false,
      load: null,
      exitCode: null,
      stderrTail: null,
      output: null,
      error: null,
      times: { READY: t },
    })),
    scale: null,
    methods: null,
    load: { outstanding: 0, queued: 0, p50: null, p99: null, perSecond: 0, failed: 0, recent: [] },
  };
}

/** An HTTP server on loopback that answers as told; what it serves are recorded replies. */
export async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void) {
  const server: Server = createServer((request, response) => {
    // A request is read to its end, so that a client that has gone is noticed.
    request.resume().once('end', () => handle(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Sends the head of a stream, then whatever the test hands over. */
export function beginStream(response: ServerResponse): (bytes: Buffer) => void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  return (bytes) => void response.write(bytes);
}

/** Asks, with a fresh key. */
export function ask(parts: Parts, service: ServiceRecord, options: { timeout?: string; maxTokens?: number } = {}) {
  return parts.answers.ask({
    service: service.id,
    request: { op: 'chat', messages: [{ role: 'user', content: 'What does ionizing radiation do to DNA?' }] },
    options: { timeout: '60s', ...options },
    origin: ORIGIN,
    key: newId('key'),
  });
}

/** Everything that a follower gets from a number on. */
export async function followAll(parts: Parts, id: string, from = 0, signal = AbortSignal.timeout(20_000)) {
  const source = parts.answers.follow(id, from);
  const batches: ChunkBatch[] = [];
  try {
    for (let batch = await source.next(signal); batch !== null; batch = await source.next(signal)) batches.push(batch);
  } finally {
    source.close();
  }
  const last = batches[batches.length - 1]?.answer;
  if (last === undefined || last === null) throw new Error('the stream ended without the final record');
  return { batches, chunks: batches.flatMap(({ chunks }) => chunks), final: last };
}

/** Waits until the picture says so. */
export async function until(parts: Parts, condition: () => boolean, what: string): Promise<void> {
  if (condition()) return;
  await new Promise<void>((resolve, reject) => {
    const deadline = setTimeout(() => done(() => reject(new Error(`never came: ${what}`))), 20_000);
    const stop = parts.picture.onChange(() => {
      if (condition()) done(resolve);
    });
    function done(settle: () => void): void {
      clearTimeout(deadline);
      stop();
      settle();
    }
  });
}

/** Cuts a recorded stream into its events. */
export function events(bytes: Buffer): Buffer[] {
  return bytes
    .toString('utf8')
    .split(/(?<=\n\n)/)
    .map((text) => Buffer.from(text));
}
