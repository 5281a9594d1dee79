import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { GatewayKey } from '../src/gateway/gateway-key.js';
import { TestPilot, until } from './pilot.js';

const PYTHON = '/usr/bin/python3';
const SERVER = new URL('./servers/service.py', import.meta.url).pathname;
const ASKS = new URL('./servers/asks.py', import.meta.url).pathname;

const listSchema = z.object({ data: z.array(z.object({ id: z.string() })).optional() });

let pilot: TestPilot;
beforeEach(() => {
  pilot = new TestPilot();
});
afterEach(() => pilot.destroy());

const service = (id: string) =>
  pilot.service(id, [PYTHON, SERVER, '{port}', '--asked', join(pilot.work, `${id}.asked`)]);
const gateways = () => pilot.journal().flatMap((one) => (one.type === 'pilot' && one.gateway ? [one.gateway] : []));

describe('gateway', () => {
  it('lets tasks call the services that they name, without a bridge, and after the agent was killed', async () => {
    const go = join(pilot.work, 'go');
    pilot.spool([
      service('llm'),
      service('other'),
      pilot.task('asks', [PYTHON, ASKS, 'llm', 'other', '--wait', go], { services: ['llm'] }),
    ]);
    pilot.start();
    await until(
      'it has asked',
      () => existsSync(join(pilot.work, 'llm.asked')),
      () => pilot.log(),
    );
    await pilot.state('other', 'READY');
    const [gateway] = gateways();
    if (gateway === undefined) throw new Error('no gateway');
    expect(statSync(gateway.keyFile).mode & 0o777).toBe(0o600);
    const key = readFileSync(gateway.keyFile, 'utf8').trim();
    const models = async (authorization: string) => {
      const answer = await fetch(`${gateway.url}/v1/models`, { headers: { authorization } });
      const { data } = listSchema.parse(await answer.json());
      return [answer.status, data?.map(({ id }) => id)];
    };
    expect(await models(`Bearer ${key}`)).toEqual([200, ['llm', 'other']]);
    expect(await models('Bearer wrong')).toEqual([401, undefined]);
    const agents = pilot.agents();
    for (const pid of agents) process.kill(pid, 'SIGKILL');
    await until(
      'another agent has opened it again',
      () => gateways().length > 1,
      () => pilot.log(),
    );
    // Tasks that run keep the address they were given.
    expect(gateways().at(-1)).toEqual(gateway);
    await until('the instance is known again', async () => {
      const answer = await fetch(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
      return answer.status === 200;
    });
    writeFileSync(go, '');
    await pilot.state('asks', 'DONE');
    expect(pilot.stdout('asks')).toBe('200 {}\n404 model_not_found\nllm llm\n200 {}\n');
    pilot.spool([{ type: 'end' }]);
    await pilot.pilotState('DONE');
    expect([gateway.keyFile, join(pilot.folder, 'gateway.json')].filter(existsSync)).toEqual([]);
    await pilot.end();
  });

  it('keeps requests while no instance is ready, and counts them in beats', async () => {
    const late = pilot.service('llm', [PYTHON, SERVER, '{port}', '--starting', '1']);
    pilot.spool([late]);
    pilot.start();
    const gateway = await until(
      'it is open',
      () => gateways()[0],
      () => pilot.log(),
    );
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${readFileSync(gateway.keyFile, 'utf8').trim()}` },
      body: JSON.stringify({ model: 'llm', messages: [] }),
    });
    expect([answer.status, await answer.text()]).toEqual([200, '{}']);
    expect(pilot.last('llm')).toMatchObject({ state: 'READY' });
    await pilot.end();
  });
});

describe('tokens', () => {
  it('open what they were made for, and cannot be changed', () => {
    const key = new GatewayKey('the-key', '/nowhere');
    const token = key.tokenFor('task-1', ['service-a', 'service-b']);
    expect(key.open(`Bearer ${token}`)).toEqual(new Set(['service-a', 'service-b']));
    expect(key.open('bearer the-key')).toBe('everything');
    const [kind, , signature] = token.split('.');
    const forged = Buffer.from(JSON.stringify(['task-1', 'service-c'])).toString('base64url');
    for (const wrong of [
      undefined,
      '',
      'Bearer',
      'Bearer x',
      `${token}`,
      `Bearer ${kind}.${forged}.${signature}`,
      `Bearer ${token}x`,
    ]) {
      expect(key.open(wrong)).toBeUndefined();
    }
    expect(new GatewayKey('another', '/nowhere').open(`Bearer ${token}`)).toBeUndefined();
  });
});
