import { readFile } from 'node:fs/promises';
import { PilothouseError } from '@pilothouse/sdk/shared';
import type { Supervisor } from '../supervisor/supervisor.js';

/** Address and key of the first service that a task names, as clients of OpenAI's API look for them. */
export async function serviceVariables(
  supervisor: Pick<Supervisor, 'readiness'>,
  [first]: readonly string[],
): Promise<Record<string, string>> {
  if (first === undefined) return {};
  const readiness = supervisor.readiness(first);
  if (readiness.state !== 'ready') {
    throw new PilothouseError('SERVICE_NOT_READY', `service ${first} stopped answering`, { hint: 'Submit it again.' });
  }
  const { url, keyFile } = readiness.endpoint;
  const key = keyFile === null ? {} : { OPENAI_API_KEY: (await readFile(keyFile, 'utf8')).trim() };
  return { OPENAI_BASE_URL: `${url}/v1`, ...key };
}
