import { afterEach, describe, expect, it } from 'vitest';
import type { BridgeApi } from '../src/client/api.js';
import { PilothouseError } from '../src/errors/index.js';
import { memory } from './support/memory.js';
import { type Served, serve } from './support/sessions.js';

const open: Served[] = [];
afterEach(async () => {
  for (const served of open.splice(0)) await served.end();
});

async function serving(api: BridgeApi): Promise<Served> {
  const served = await serve(() => api);
  open.push(served);
  await served.session.ready();
  return served;
}

const never = () => new Promise<never>(() => undefined);

describe('a call', () => {
  it('that nobody answers ends with TIMEOUT, and only the waiting ends', async () => {
    const { api } = memory();
    const { session } = await serving({ ...api, engines: { list: never } });
    await expect(session.engines({ timeout: '50ms' })).rejects.toMatchObject({
      code: 'TIMEOUT',
      retryable: true,
      hint: expect.stringContaining('Only the waiting ended'),
    });
    expect(await session.tasks.list()).toEqual([]);
  });

  it('is told the connection is the reason where it is', async () => {
    const { api } = memory();
    const { session, server } = await serving(api);
    await server.stop();
    const error = await session.engines({ timeout: '200ms' }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'BRIDGE_UNREACHABLE' });
    expect(error instanceof PilothouseError && error.cause).toBeTruthy();
    await server.start();
  });

  it('rejects with the reason of its signal, before and during', async () => {
    const { api } = memory();
    const { session } = await serving({ ...api, engines: { list: never } });
    const reason = new Error('enough');
    await expect(session.engines({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const call = session.engines({ signal: controller.signal });
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
  });

  it('names a time-out that is none', async () => {
    const { api } = memory();
    const { session } = await serving(api);
    await expect(session.engines({ timeout: 'soon' })).rejects.toMatchObject({
      code: 'INVALID_DESCRIPTION',
      field: 'timeout',
    });
  });

  it('brings errors over whole: code, hint, field, ids, cause', async () => {
    const { api } = memory();
    const refused = new PilothouseError('PILOT_REFUSED', 'too many cores', {
      hint: 'ask for 2',
      field: 'cores',
      ids: { pilot: 'pilot-1' },
      evidence: '2 by affinity',
    });
    const refuse = async () => {
      throw refused;
    };
    const { session } = await serving({ ...api, pilots: { ...api.pilots, submit: refuse } });
    const error = await session.pilots.submit({ cores: 64 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PilothouseError);
    expect(error instanceof PilothouseError && error.toJSON()).toEqual(refused.toJSON());
    expect(error instanceof PilothouseError && error.cause).toBeInstanceOf(Error);
  });

  it('that the other side does not know is UNKNOWN_METHOD', async () => {
    const { api } = memory();
    const unknown = new Proxy(api.credentials, { get: () => undefined });
    const { session } = await serving({ ...api, credentials: unknown });
    await expect(session.credentials.list()).rejects.toMatchObject({ code: 'UNKNOWN_METHOD' });
  });
});
