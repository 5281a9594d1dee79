import { type Endpoint, PilothouseError, type ServiceSpec } from '@pilothouse/sdk/shared';
import { pause } from './pause.js';
import { askLocally, whyNot } from './probes/http.js';

const AGAIN_MS = 500;
const LONGEST_EVIDENCE = 2000;

/**
 * Sends the request that an instance must answer before it counts as ready, again while it says that it is not yet.
 *
 * @throws PilothouseError SERVICE_FAILED with what it has answered
 */
export async function warmUp(
  { name, warmUp: wanted }: ServiceSpec,
  { url }: Endpoint,
  key: string | null,
  signal: AbortSignal,
): Promise<void> {
  if (wanted === null) return;
  const { method, path, timeout } = wanted;
  const deadline = performance.now() + timeout * 1000;
  const port = Number(new URL(url).port);
  const body = wanted.body === undefined ? undefined : JSON.stringify(wanted.body);
  for (;;) {
    const left = deadline - performance.now();
    let said = '';
    const asked = { port, method, path, key, timeout: Math.max(1, left), ...(body === undefined ? {} : { body }) };
    const answer = await askLocally(asked, async (response) => {
      // All of it: a model that streams has answered when its last word is here.
      for await (const piece of response) if (said.length < LONGEST_EVIDENCE) said += String(piece);
    }).catch((error: unknown) => ({ status: 0, text: whyNot(port, error) }));
    if (signal.aborted || (answer.status >= 200 && answer.status < 300)) return;
    const again = answer.status === 0 || answer.status === 503;
    if (!again || performance.now() + AGAIN_MS >= deadline) {
      throw new PilothouseError('SERVICE_FAILED', `${name} did not answer its warm-up request: ${answer.text}`, {
        hint: 'Check the path and the body of the warm-up request, or give it a longer timeout.',
        field: 'warmUp',
        evidence: said.slice(0, LONGEST_EVIDENCE) || `${method} ${path}: ${answer.text}`,
      });
    }
    await pause(AGAIN_MS, signal);
  }
}
