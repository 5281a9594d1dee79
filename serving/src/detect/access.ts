import { readErrorText } from '../adapters/http/body.js';
import { openAiBase } from '../adapters/openai/openai.js';
import type { Found, LookContext } from './look.js';

/**
 * Whether a server lets a request with this key in. Lists of models come without a key from many servers, so a question
 * decides: an empty one, which is refused for its emptiness where the key is not, and makes nobody compute.
 */
export async function letsIn(found: Found, key: string | null, { adapters, signal }: LookContext): Promise<boolean> {
  if (found.api === 'zeromq') return key !== null;
  if (found.api === 'ru-zmq') return true;
  const { method, url } = question(found);
  const { response } = await adapters.http.exchange({
    method,
    url,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
    },
    body: method === 'POST' ? '{}' : undefined,
    signal,
    name: 'the server',
  });
  await readErrorText(response, 'the server', signal);
  return response.statusCode !== 401 && response.statusCode !== 403;
}

function question({ api, base, models }: Found): { method: 'GET' | 'POST'; url: string } {
  switch (api) {
    case 'openai':
      return { method: 'POST', url: `${openAiBase(base)}/chat/completions` };
    case 'open-inference':
      return { method: 'POST', url: `${base}/v2/models/${encodeURIComponent(models[0] ?? 'model')}/infer` };
    case 'ollama':
      return { method: 'POST', url: `${base}/api/show` };
    default:
      return { method: 'GET', url: base };
  }
}
