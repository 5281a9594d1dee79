import { expect, it } from 'vitest';
import { ReconnectingConnector } from '../src/client/connection/reconnecting.js';
import { LiveSession } from '../src/client/session.js';
import { ContractServer } from './support/contract-server.js';
import { memory } from './support/memory.js';
import { dialPath, eventually } from './support/sessions.js';

it('a bridge that is mute is noticed, and found again when it speaks', async () => {
  const { api } = memory();
  let mute = false;
  const server = new ContractServer(`/tmp/ph-heartbeat-${process.pid}`, () => ({
    ...api,
    system: {
      ...api.system,
      hello: async (...given) => (mute ? new Promise<never>(() => undefined) : api.system.hello(...given)),
    },
  }));
  await server.start();
  const connector = new ReconnectingConnector({
    dial: dialPath(server.path),
    client: 'test',
    patience: { silence: 50, probe: 100 },
  });
  const session = new LiveSession(connector, () => ({ name: 'test', kind: 'node', env: {} }));
  await session.ready();
  await eventually(() => server.calls.filter((call) => call === 'system/hello').length > 3, 'silence is asked about');
  expect(server.connections).toBe(1);
  mute = true;
  await eventually(() => session.connection.state === 'RECONNECTING', 'it is noticed');
  expect(session.connection.error).toMatchObject({ code: 'CONNECTION_LOST' });
  mute = false;
  session.reconnect();
  await eventually(() => session.connection.state === 'CONNECTED', 'it is found again');
  await session.close();
  await server.stop();
});
