import { expect } from '@playwright/test';
import type { ServiceRecord } from './api.js';
import type { Stack } from './stack.js';

/**
 * The demo service on a pilot, running. The bridge must be there: an open page has started it.
 * @param params - of the template, for a service that is to be other than the examples'
 */
export async function demoService({ api }: Stack, params?: Readonly<Record<string, number>>): Promise<ServiceRecord> {
  await expect.poll(() => api.answers(), { timeout: 30_000 }).toBe(true);
  await api.ensurePilot('demo', { cores: 2, runtime: '1h' });
  await api.ensureService('smollm2', { pilot: 'demo', ...(params === undefined ? {} : { params }) });
  await expect.poll(async () => (await api.service('smollm2')).state, { timeout: 60_000 }).toBe('READY');
  return api.service('smollm2');
}
