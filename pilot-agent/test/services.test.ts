import { existsSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import type { ServiceSpec } from '@pilothouse/sdk/shared';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestBridge } from './bridge.js';
import { TestPilot, until } from './pilot.js';

const SCRIPT = new URL('./servers/service.py', import.meta.url).pathname;
const PYTHON = '/usr/bin/python3';
const RESTARTS = (max: number) => ({ max, first: 1, factor: 2, longest: 30 });

let pilot: TestPilot;
beforeEach(() => {
  pilot = new TestPilot();
});
afterEach(() => pilot.destroy());

function service(args: readonly string[] = [], more: Partial<ServiceSpec> = {}) {
  return pilot.service('llm', [PYTHON, SCRIPT, '{port}', ...args], more);
}

function states(): string[] {
  const all = pilot.instances('llm').map((record) => record.state);
  return all.filter((state, index) => state !== all[index - 1]);
}

function reasons(state: string): (string | undefined)[] {
  return pilot.instances('llm').flatMap((one) => (one.state === state ? [one.reason?.code] : []));
}

describe('services', () => {
  it('become ready, with endpoint, key and bootstrap time, and are stopped', async () => {
    const bridge = await TestBridge.open(pilot);
    pilot.spool([service(['--starting', '0.3'])]);
    pilot.start();
    const ready = await until(
      'it is ready and published',
      () => {
        const last = pilot.last('llm');
        return last?.type === 'instance' && last.state === 'READY' && last.bootstrap ? last : undefined;
      },
      () => pilot.log(),
    );
    expect(states()).toEqual(['SCHEDULING', 'LAUNCHING', 'INITIALIZING', 'READY']);
    expect(ready.bootstrap?.launch).toBeGreaterThan(0);
    expect(ready.bootstrap?.init).toBeGreaterThan(290);
    expect(ready.bootstrap?.publish).toBeGreaterThan(0);
    const launched = pilot.instances('llm').find((record) => record.endpoint);
    if (!launched?.endpoint?.keyFile) throw new Error('no endpoint');
    expect((await fetch(`${launched.endpoint.url}/health`)).status).toBe(200);
    expect(statSync(launched.endpoint.keyFile).mode & 0o777).toBe(0o600);
    expect(readFileSync(launched.endpoint.keyFile, 'utf8').trim()).toMatch(/^[\w-]{43}$/);
    await until('beats carry the probe', () => bridge.of('beat').some(({ beat }) => beat.probes['llm.instance']?.ok));
    expect(bridge.of('beat').at(-1)?.beat.usage).toMatchObject({ cores: 1, running: 1 });
    pilot.spool([{ type: 'stop', service: 'llm' }]);
    const stopped = await pilot.state('llm', 'STOPPED');
    expect(stopped.output).toBeDefined();
    expect(states().slice(-2)).toEqual(['STOPPING', 'STOPPED']);
    await until('its key is removed', () => !existsSync(launched.endpoint?.keyFile ?? ''));
    bridge.close();
    await pilot.end();
  });

  it('start before the tasks that name them, which find address and key in their environment', async () => {
    pilot.spool([
      pilot.task('asks', ['sh', '-c', 'echo $OPENAI_BASE_URL; echo $OPENAI_API_KEY'], { services: ['llm'] }),
    ]);
    pilot.spool([
      service(['--starting', '0.5']),
      pilot.task('asks-2', ['sh', '-c', 'echo $OPENAI_BASE_URL; echo $OPENAI_API_KEY'], { services: ['llm'] }),
    ]);
    pilot.start();
    // A service that is not there (yet) is an error, not an endless wait.
    expect(await pilot.state('asks', 'FAILED')).toMatchObject({ error: { code: 'SERVICE_NOT_FOUND' } });
    await pilot.state('asks-2', 'DONE');
    const waiting = pilot.tasks('asks-2')[0];
    expect(waiting).toMatchObject({ state: 'WAITING', reason: { code: 'WAITS_FOR_SERVICE' } });
    const [gateway] = pilot.journal().flatMap((one) => (one.type === 'pilot' && one.gateway ? [one.gateway] : []));
    expect(pilot.stdout('asks-2')).toMatch(new RegExp(`^${gateway?.url}/v1\ntask\\.\\S+\n$`));
    await pilot.end();
  });

  it('get their threads, their port and the key in the environment', async () => {
    const command = ['sh', '-c', `env > env.txt; exec ${PYTHON} ${SCRIPT} "$1"`, 'sh', '{port}'];
    const env = {
      PATH: '/usr/bin:/bin',
      KEY: '{apiKey}',
      FILE: '{apiKeyFile}',
      WHERE: '{host}:{port}',
      BRACES: '{"a": 1}',
    };
    pilot.spool([pilot.service('llm', command, { env, cores: 3 })]);
    pilot.start();
    const ready = await pilot.state('llm', 'READY');
    if (ready.type !== 'instance' || !ready.endpoint?.keyFile) throw new Error('no endpoint');
    const seen = readFileSync(join(pilot.work, 'env.txt'), 'utf8').split('\n');
    expect(seen).toContain(`KEY=${readFileSync(ready.endpoint.keyFile, 'utf8').trim()}`);
    expect(seen).toContain(`FILE=${ready.endpoint.keyFile}`);
    expect(seen).toContain(`WHERE=${ready.endpoint.url.slice(7)}`);
    expect(seen).toContain('OMP_NUM_THREADS=3');
    expect(seen).toContain('BRACES={"a": 1}');
    await pilot.end();
  });

  it('start again after a crash, and fail with the last lines when no restart is left', async () => {
    const die = join(pilot.work, 'die');
    pilot.spool([service(['--die-file', die], { restarts: RESTARTS(1) })]);
    pilot.start();
    await pilot.state('llm', 'READY');
    writeFileSync(die, '');
    const waits = await pilot.state('llm', 'BACKOFF');
    expect(waits).toMatchObject({
      exitCode: 3,
      stderrTail: 'out of memory, giving up',
      reason: { code: 'SERVICE_FAILED' },
    });
    expect(waits.reason?.text).toContain('restart 1 of 1');
    await pilot.state('llm', 'READY');
    expect(pilot.instances('llm').at(-1)).toMatchObject({ state: 'READY' });
    expect(
      pilot
        .instances('llm')
        .filter(({ attempt }) => attempt)
        .at(-1),
    ).toMatchObject({
      attempt: 2,
    });
    writeFileSync(die, '');
    const failed = await pilot.state('llm', 'FAILED');
    expect(failed.error).toMatchObject({ code: 'SERVICE_FAILED', ids: { service: 'llm' } });
    expect(failed.error?.evidence).toContain('out of memory');
    await pilot.end();
  });

  it('are shown as not answering, come back, and are started again when they stay silent', async () => {
    const sick = join(pilot.work, 'sick');
    pilot.spool([service(['--sick-file', sick])]);
    pilot.start();
    await pilot.state('llm', 'READY');
    writeFileSync(sick, '');
    expect((await pilot.state('llm', 'UNHEALTHY')).reason?.text).toBe('not answering: 503 Loading model');
    unlinkSync(sick);
    await pilot.state('llm', 'READY');
    writeFileSync(sick, '');
    await pilot.state('llm', 'UNHEALTHY');
    expect((await pilot.state('llm', 'BACKOFF')).reason?.text).toContain('stopped answering');
    unlinkSync(sick);
    await pilot.state('llm', 'READY');
    await pilot.end();
  });

  it('name the model file, the program or the folder that is missing', async () => {
    pilot.spool([
      pilot.service('model', ['true'], { needs: [SCRIPT, '/no/such/model.gguf'] }),
      pilot.service('program', ['no-such-server']),
      pilot.service('folder', ['true'], { cwd: '/no/such/folder' }),
    ]);
    pilot.start();
    expect((await pilot.state('model', 'FAILED')).error).toMatchObject({
      code: 'MODEL_NOT_FOUND',
      ids: { service: 'model' },
    });
    expect((await pilot.state('model', 'FAILED')).error?.message).toContain('/no/such/model.gguf');
    expect((await pilot.state('program', 'FAILED')).error).toMatchObject({ code: 'EXECUTABLE_NOT_FOUND' });
    expect((await pilot.state('folder', 'FAILED')).error).toMatchObject({ code: 'DIRECTORY_NOT_FOUND' });
    await pilot.end();
  });

  it('are started on another port when theirs is taken', async () => {
    // The first time it tries a port that this test holds, the second time its own.
    const squatter = await listen();
    const taken = portOf(squatter);
    const script = `if [ -e tried ]; then exec ${PYTHON} ${SCRIPT} "$1"; fi; touch tried; exec ${PYTHON} ${SCRIPT} ${taken}`;
    pilot.spool([pilot.service('llm', ['sh', '-c', script, 'sh', '{port}'])]);
    pilot.start();
    await pilot.state('llm', 'READY');
    expect(reasons('BACKOFF')).toEqual(['PORT_IN_USE']);
    squatter.close();
    await pilot.end();
  });

  it('do not count as ready, and show no key, when a foreign process answers on their port', async () => {
    const script = `if [ -e tried ]; then exec ${PYTHON} ${SCRIPT} "$1"; fi; echo "$1" > tried; sleep 600`;
    pilot.spool([pilot.service('llm', ['sh', '-c', script, 'sh', '{port}'])]);
    pilot.start();
    const tried = join(pilot.work, 'tried');
    await until('it has a port', () => existsSync(tried) && readFileSync(tried, 'utf8').trim());
    const squatter = await listen(Number(readFileSync(tried, 'utf8')));
    await pilot.state('llm', 'READY');
    expect(reasons('BACKOFF')).toEqual(['PORT_IN_USE']);
    squatter.close();
    await pilot.end();
  });

  it('fail when they are not ready in time', async () => {
    pilot.spool([service(['--starting', '600'], { startTimeout: 0.5, restarts: RESTARTS(0) })]);
    pilot.start();
    const failed = await pilot.state('llm', 'FAILED');
    expect(failed.error?.message).toContain('was not ready within');
    expect(failed.error?.evidence).toBe('last probe: 503 Loading model');
    await pilot.end();
  });

  it('are adopted by the next agent: a healthy one is not started again', async () => {
    const log = join(pilot.work, 'starts');
    pilot.spool([service(['--log', log])]);
    pilot.start();
    await pilot.state('llm', 'READY');
    const bridge = await TestBridge.open(pilot);
    const before = pilot.instances('llm').length;
    const [agent = 0] = pilot.agents();
    process.kill(agent, 'SIGKILL');
    await until(
      'the next agent probes it',
      () =>
        bridge.of('beat').some(({ beat }) => beat.probes['llm.instance']?.ok) &&
        bridge.of('hello').some(({ epoch }) => epoch === 2),
    );
    expect(readFileSync(log, 'utf8').trim().split('\n')).toHaveLength(1);
    expect(
      pilot
        .instances('llm')
        .slice(before)
        .filter((one) => one.state !== 'READY'),
    ).toEqual([]);
    // It watches it too: what crashes now is started again.
    const [pid = '0'] = readFileSync(log, 'utf8').split(' ');
    process.kill(Number(pid), 'SIGKILL');
    await pilot.state('llm', 'BACKOFF');
    await until('it was started a second time', () => readFileSync(log, 'utf8').trim().split('\n').length === 2);
    await pilot.state('llm', 'READY');
    bridge.close();
    await pilot.end();
  });

  it('start all their instances, each on a port of its own', async () => {
    const instances = [1, 2, 3].map((index) => ({ id: `llm.${index}`, index }));
    pilot.spool([service([], { instances })]);
    pilot.start();
    const ready = () => pilot.instances('llm').filter((one) => one.state === 'READY');
    await until('all are ready', () => new Set(ready().map((one) => one.id)).size === 3);
    const ports = ready().map((one) => one.endpoint?.url);
    expect(new Set(ports).size).toBe(3);
    await pilot.end();
  });
});

function listen(port = 0): Promise<Server> {
  const server = createServer((_request, response) => response.end('somebody else'));
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)));
}

function portOf(server: Server): number {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('not listening');
  return address.port;
}
