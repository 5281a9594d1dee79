import {
  type Detection,
  type Method,
  PilothouseError,
  type ResolvedAttachDescription,
  type ServiceApi,
} from '@pilothouse/sdk/shared';
import type { Adapters } from '../adapters/adapters.js';
import { authenticationFailed } from '../adapters/server-error.js';
import { withoutKey } from '../adapters/without-key.js';
import { methodsOf } from '../adapters/zeromq/zeromq.js';
import { letsIn } from './access.js';
import { refuseSecrets, targetAt } from './address.js';
import { type Found, type Look, type LookContext, lookAtZeroMq, lookFor, worse } from './look.js';

/** What is known of a server that was checked. */
export interface Checked {
  readonly api: ServiceApi;
  /** URL of its endpoint, as requests use it. */
  readonly base: string;
  /** Model to name in requests; null: it needs none. */
  readonly model: string | null;
  readonly models: readonly string[];
  /** It answers without a key. */
  readonly open: boolean;
  /** Round trip of the look that found it, in milliseconds. */
  readonly latency: number;
  /** What it said: "lists 2 models". */
  readonly text: string;
  /** What a service of one's own can do; null where its API has no such list. */
  readonly methods: readonly Method[] | null;
}

/**
 * Checks a server that runs already: that it is there, which API it speaks, whether it takes the key, and whether it
 * asks for one at all.
 *
 * @param key - secret of the description's credential; null for none
 * @throws PilothouseError SERVICE_UNREACHABLE, CERTIFICATE_REFUSED, API_NOT_RECOGNISED, AUTHENTICATION_FAILED,
 *   UNAUTHENTICATED_SERVICE, INVALID_DESCRIPTION, or what the server says
 */
export function checkServer(
  adapters: Adapters,
  description: ResolvedAttachDescription,
  key: string | null,
  signal: AbortSignal,
): Promise<Checked> {
  return withoutKey(key, async () => {
    refuseSecrets(description.url);
    const context = { adapters, description, key, signal };
    const { found, failure, evidence } = await look(context);
    if (found === null || (found.api === 'rest' && description.api === undefined)) {
      throw failure ?? notRecognised(description.url, evidence);
    }
    const started = performance.now();
    const open = await letsIn(found, null, context);
    const latency = performance.now() - started;
    if (open && !description.allowUnauthenticated) throw unauthenticated(found, description);
    if (!open && (key === null || !(await letsIn(found, key, context)))) {
      throw authenticationFailed(targetAt(found.base, description, key));
    }
    const { api, base, models, text } = found;
    const model = description.model ?? models[0] ?? null;
    const methods = api === 'zeromq' ? await methodsOf(targetAt(base, description, key), signal) : null;
    return { api, base, model, models, open, latency, text, methods };
  });
}

/**
 * Looks at an address and tells what was found and what to do: for people who are about to attach it. Whatever the
 * server does is part of what is told.
 */
export async function detect(
  adapters: Adapters,
  description: ResolvedAttachDescription,
  key: string | null,
  signal: AbortSignal,
): Promise<Detection> {
  const base = description.url;
  try {
    return await withoutKey(key, async () => {
      refuseSecrets(base);
      const context = { adapters, description, key, signal };
      const { found, failure, evidence } = await look(context);
      if (found === null) {
        const remedy = failure?.hint ?? notRecognised(base, evidence).hint ?? null;
        return { ...NOTHING, base, asksForKey: asksFor(failure), evidence: clean(evidence, key), remedy };
      }
      const open = await letsIn(found, null, context);
      const takesKey = open || (key !== null && (await letsIn(found, key, context)));
      return {
        api: found.api,
        base: found.base,
        models: [...found.models],
        asksForKey: !open,
        evidence: clean([...evidence, open ? 'answers without a key' : keyEvidence(key, takesKey)], key),
        remedy: remedyFor(found, description, open, takesKey, key),
      };
    });
  } catch (error) {
    if (signal.aborted || !(error instanceof PilothouseError)) throw error;
    return { ...NOTHING, base, evidence: [error.message], remedy: error.hint ?? null };
  }
}

const NOTHING = { api: null, models: [], asksForKey: null } as const satisfies Partial<Detection>;

/** The APIs that answer HTTP, in the order in which they are preferred. */
const OVER_HTTP = ['ollama', 'open-inference', 'openai'] as const satisfies readonly ServiceApi[];

async function look(context: LookContext): Promise<Look> {
  const { api, url } = context.description;
  if (api !== undefined) return await lookFor(api, context);
  if (/^(tcp|ipc):/.test(url)) return await lookAtZeroMq(context);
  // Whether anything answers at all: looking for each API would only tell it three times.
  const rest = await lookFor('rest', context);
  if (rest.failure?.code === 'SERVICE_UNREACHABLE' || rest.failure?.code === 'CERTIFICATE_REFUSED') return rest;
  // An address that ends in /v1 was given for that API, whatever else its server speaks.
  const apis = /\/v\d+[a-z0-9]*\/?$/.test(url) && !/\/v2\/?$/.test(url) ? (['openai'] as const) : OVER_HTTP;
  const looks = await Promise.all(apis.map((each) => lookFor(each, context)));
  const evidence = looks.flatMap((each) => each.evidence);
  const best = looks.find(({ found }) => found !== null);
  if (best !== undefined) return { ...best, evidence };
  const failure = looks.reduce<PilothouseError | null>((said, each) => worse(said, each.failure), null);
  if (failure !== null && failure.code !== 'API_NOT_RECOGNISED') return { found: null, failure, evidence };
  return { found: rest.found, failure: null, evidence: [...rest.evidence, ...evidence] };
}

function notRecognised(url: string, evidence: readonly string[]): PilothouseError {
  return new PilothouseError('API_NOT_RECOGNISED', `${url} answers with no API that is known here`, {
    hint: 'Give the base URL of the API (OpenAI: ending in /v1); see what the server documents. A server with an API of its own can be attached with api "rest".',
    field: 'url',
    evidence: evidence.join('\n'),
  });
}

function unauthenticated(found: Found, { name = 'the server' }: ResolvedAttachDescription): PilothouseError {
  return new PilothouseError('UNAUTHENTICATED_SERVICE', `${name} at ${found.base} answers without a key`, {
    hint: 'Start it with a key (llama-server: --api-key-file), or allow a server without a key: everybody who reaches its port can use it then.',
    field: 'allowUnauthenticated',
  });
}

function remedyFor(
  found: Found,
  description: ResolvedAttachDescription,
  open: boolean,
  takesKey: boolean,
  key: string | null,
): string | null {
  if (found.api === 'rest' && description.api === undefined) return notRecognised(found.base, []).hint ?? null;
  if (open) return description.allowUnauthenticated ? null : (unauthenticated(found, description).hint ?? null);
  return takesKey ? null : (authenticationFailed(targetAt(found.base, description, key)).hint ?? null);
}

function keyEvidence(key: string | null, takesKey: boolean): string {
  if (key === null) return 'asks for a key';
  return takesKey ? 'asks for a key, and takes this one' : 'asks for a key, and does not take this one';
}

function asksFor(failure: PilothouseError | null): boolean | null {
  return failure?.code === 'AUTHENTICATION_FAILED' ? true : null;
}

function clean(evidence: readonly string[], key: string | null): string[] {
  return evidence.map((line) => (key === null || key.length < 8 ? line : line.replaceAll(key, '(key)')));
}
