import { PilothouseError, type ResolvedAttachDescription, type ServiceApi } from '@pilothouse/sdk/shared';
import type { Adapters } from '../adapters/adapters.js';
import { parseJson, readErrorText } from '../adapters/http/body.js';
import { counted } from '../adapters/support.js';
import { openAiCandidates, rootOf, targetAt } from './address.js';
import { greeting, notZeroMq } from './zmtp.js';

/** What a look needs. */
export interface LookContext {
  readonly adapters: Adapters;
  readonly description: ResolvedAttachDescription;
  /** Secret of the description's credential; null: none. */
  readonly key: string | null;
  readonly signal: AbortSignal;
}

/** An API that answers somewhere. */
export interface Found {
  readonly api: ServiceApi;
  readonly base: string;
  readonly models: readonly string[];
  /** What it said, in a few words. */
  readonly text: string;
}

/** What came of looking for one API. */
export interface Look {
  readonly found: Found | null;
  /** Why not, where it was not found. */
  readonly failure: PilothouseError | null;
  /** What was asked and what came back. */
  readonly evidence: readonly string[];
}

/** Looks for one API at the address of a description. Rejects only with the reason of the signal. */
export function lookFor(api: ServiceApi, context: LookContext): Promise<Look> {
  switch (api) {
    case 'openai':
      return openai(context);
    case 'ollama':
      return ollama(context);
    case 'open-inference':
      return openInference(context);
    case 'zeromq':
      return zeromq(context);
    case 'ru-zmq':
      return ruZmq(context);
    case 'rest':
    case 'any':
      return attempt(context, `GET ${context.description.url}`, async () => {
        const { adapters, description, key, signal } = context;
        const text = await adapters.byApi.rest.check(targetAt(description.url, description, key), signal);
        return { api, base: description.url, models: [], text };
      });
  }
}

/** The mechanism by which a ZeroMQ server lets clients in decides which of the two protocols is asked for. */
export async function lookAtZeroMq(context: LookContext): Promise<Look> {
  const { description, signal } = context;
  const name = description.name ?? 'the server';
  const what = `ZeroMQ greeting of ${description.url}`;
  try {
    const mechanism = await greeting(description.url, name, signal);
    if (mechanism === null) {
      const failure = notZeroMq(description.url, name);
      return { found: null, failure, evidence: [`${what}: none`] };
    }
    const look = await lookFor(mechanism === 'CURVE' ? 'zeromq' : 'ru-zmq', context);
    return { ...look, evidence: [`${what}: ${mechanism}`, ...look.evidence] };
  } catch (error) {
    return failed(error, what, signal);
  }
}

async function openai(context: LookContext): Promise<Look> {
  const { adapters, description, key, signal } = context;
  const evidence: string[] = [];
  let failure: PilothouseError | null = null;
  for (const base of openAiCandidates(description.url)) {
    const look = await attempt(context, `GET ${base.replace(/\/$/, '')}/models`, async () => {
      const target = targetAt(base, description, key);
      try {
        const models = await adapters.byApi.openai.models(target, signal);
        return { api: 'openai', base, models, text: `lists ${counted(models.length, 'model')}` };
      } catch (error) {
        // Some servers cannot list their models; with a model named, that they say so tells as much.
        const text = await adapters.byApi.openai.check(target, signal).catch(() => Promise.reject(error));
        return { api: 'openai', base, models: [], text };
      }
    });
    evidence.push(...look.evidence);
    if (look.found !== null) return { ...look, evidence };
    failure = worse(failure, look.failure);
  }
  return { found: null, failure, evidence };
}

function ollama(context: LookContext): Promise<Look> {
  const { adapters, description, key, signal } = context;
  const base = rootOf(description.url);
  return attempt(context, `GET ${base}/api/tags`, async () => {
    const models = await adapters.byApi.ollama.models(targetAt(base, description, key), signal);
    // Others have a list at this path too, for editors that look for one; only Ollama tells its version.
    const { status, body } = await get(context, `${base}/api/version`);
    if (status !== 200 || typeof Object(parseJson(body)).version !== 'string') {
      throw new PilothouseError('API_NOT_RECOGNISED', `${base} lists models like Ollama, and has no /api/version`, {
        hint: 'Attach it as what it is: most such servers speak the OpenAI API.',
      });
    }
    return { api: 'ollama', base, models, text: `lists ${counted(models.length, 'model')}` };
  });
}

function openInference(context: LookContext): Promise<Look> {
  const { adapters, description, key, signal } = context;
  const base = rootOf(description.url);
  const { 'open-inference': adapter } = adapters.byApi;
  return attempt(context, `GET ${base}/v2/health/ready`, async () => {
    const target = targetAt(base, description, key);
    const text = await adapter.check({ ...target, model: null }, signal);
    // Other servers may answer anything below /v2: this one must know what a server of the protocol says of itself.
    const { status, body } = await get(context, `${base}/v2`);
    if (status !== 401 && status !== 403 && !Array.isArray(Object(parseJson(body)).extensions)) {
      throw new PilothouseError('API_NOT_RECOGNISED', `${base}/v2 says nothing of its extensions`, {
        hint: 'Check that an Open Inference server answers there.',
      });
    }
    const models = await adapter.models(target, signal);
    return { api: 'open-inference', base, models, text };
  });
}

function zeromq(context: LookContext): Promise<Look> {
  const { adapters, description, key, signal } = context;
  return attempt(context, `Pilothouse ping of ${description.url}`, async () => {
    const text = await adapters.byApi.zeromq.check(targetAt(description.url, description, key), signal);
    return { api: 'zeromq', base: description.url, models: [], text };
  });
}

function ruZmq(context: LookContext): Promise<Look> {
  const { adapters, description, signal } = context;
  return attempt(context, `ru.zmq echo at ${description.url}`, async () => {
    try {
      const text = await adapters.byApi['ru-zmq'].check(targetAt(description.url, description, null), signal);
      return { api: 'ru-zmq', base: description.url, models: [], text };
    } catch (error) {
      if (signal.aborted || error instanceof PilothouseError) throw error;
      throw new PilothouseError('API_NOT_RECOGNISED', `${description.url} speaks ZeroMQ and answers no echo`, {
        hint: 'Check that a radical.utils server answers there; nothing else without CURVE can be called.',
        cause: error,
      });
    }
  });
}

async function attempt(context: LookContext, what: string, look: () => Promise<Found>): Promise<Look> {
  try {
    const found = await look();
    return { found, failure: null, evidence: [`${what}: ${found.text}`] };
  } catch (error) {
    return failed(error, what, context.signal);
  }
}

function failed(error: unknown, what: string, signal: AbortSignal): Look {
  if (signal.aborted) throw signal.reason;
  if (!(error instanceof PilothouseError)) throw error;
  return { found: null, failure: error, evidence: [`${what}: ${error.message}`] };
}

async function get({ adapters, key, signal }: LookContext, url: string): Promise<{ status: number; body: string }> {
  const headers: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
  const { response } = await adapters.http.exchange({ method: 'GET', url, headers, signal, name: 'the server' });
  return { status: response.statusCode ?? 0, body: await readErrorText(response, 'the server', signal) };
}

/** Of two failures the one that says more: what is not there says least. */
export function worse(a: PilothouseError | null, b: PilothouseError | null): PilothouseError | null {
  if (a === null || b === null) return a ?? b;
  return a.code === 'API_NOT_RECOGNISED' ? b : a;
}
