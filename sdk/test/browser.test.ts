import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { connectBrowser } from '../src/browser/index.js';
import type { Session } from '../src/client/types.js';
import { PilothouseError } from '../src/errors/index.js';
import { ContractServer } from './support/contract-server.js';
import { memory } from './support/memory.js';
import { eventually } from './support/sessions.js';

let server: ContractServer;
let session: Session | undefined;
afterEach(async () => {
  await session?.close();
  await server.stop();
});

describe('connectBrowser', () => {
  it('returns at once; calls wait for the connection', async () => {
    const { api } = memory();
    server = new ContractServer(`/tmp/ph-browser-${process.pid}`, () => api);
    const urls: number[] = [];
    session = connectBrowser({
      name: 'JupyterLab',
      WebSocket,
      url: () => {
        urls.push(urls.length);
        return `ws+unix:${server.path}:/ws`;
      },
    });
    expect(session.connection.state).toBe('CONNECTING');
    const pilots = session.pilots.ensure('demo', { cores: 1 });
    await eventually(() => session?.connection.error?.code === 'BRIDGE_UNREACHABLE', 'the page says what is wrong');
    await server.start();
    const pilot = await pilots;
    expect(pilot.record.owner).toBe('JupyterLab');
    // The address is asked for each attempt, as tokens change.
    expect(urls.length).toBeGreaterThan(1);
  });

  it('asks the server behind the page what is wrong, and tries again when told to', async () => {
    const { api } = memory();
    server = new ContractServer(`/tmp/ph-browser-${process.pid}`, () => api);
    const missing = new PilothouseError('LAUNCHER_MISSING', 'not set up', { hint: 'Run npm start' });
    session = connectBrowser({
      name: 'JupyterLab',
      WebSocket,
      url: () => `ws+unix:${server.path}:/ws`,
      diagnose: async () => missing,
    });
    await expect(session.pilots.list()).rejects.toMatchObject({ code: 'LAUNCHER_MISSING', hint: 'Run npm start' });
    expect(session.connection).toMatchObject({ state: 'RECONNECTING', error: { code: 'LAUNCHER_MISSING' } });
    await server.start();
    session.reconnect();
    await eventually(() => session?.connection.state === 'CONNECTED', 'it connects');
    expect(await session.pilots.list()).toEqual([]);
  });
});
