import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceSpec } from '@pilothouse/sdk/shared';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestBridge } from './bridge.js';
import { probe, TestPilot, until } from './pilot.js';

const SCRIPT = new URL('./servers/service.py', import.meta.url).pathname;
const PYTHON = '/usr/bin/python3';

let pilot: TestPilot;
beforeEach(() => {
  pilot = new TestPilot();
});
afterEach(() => pilot.destroy());

function probes(readiness: ServiceSpec['probes']['readiness'], more: Partial<ServiceSpec['probes']> = {}) {
  return { startup: null, readiness, liveness: { ...readiness, failures: 20 }, ...more };
}

function serve(...args: string[]): string[] {
  return [PYTHON, SCRIPT, '{port}', ...args];
}

/** The look that made it ready. */
function readyProbe(id: string) {
  return pilot.instances(id).find(({ state }) => state === 'READY')?.probe;
}

describe('an instance is ready', () => {
  it('by HTTP, TCP, a line of its output or a command, after a startup probe, and says how far it has loaded', async () => {
    const bridge = await TestBridge.open(pilot);
    const loads =
      'printf "loading 1/4\\rloading 2/4\\r" >&2; while [ ! -e go ]; do sleep 0.05; done; echo ready to serve';
    pilot.spool([
      pilot.service('tcp', serve(), { probes: probes(probe({ tcp: true }), { liveness: probe({ http: '/alive' }) }) }),
      pilot.service('pattern', ['sh', '-c', `${loads}; exec sleep 600`], {
        probes: probes(probe({ pattern: 'ready .* serve' })),
        progress: ['loading (\\d+)/(\\d+)'],
      }),
      pilot.service('command', ['sleep', '600'], {
        probes: probes(probe({ command: ['sh', '-c', 'test -e go && echo "$WHO {instance}"'] })),
        env: { PATH: '/usr/bin:/bin', WHO: 'instance' },
      }),
      pilot.service('startup', serve('--starting', '0.2'), {
        probes: probes(probe({ http: '/health', successes: 2 }), { startup: probe({ tcp: true, failures: 100 }) }),
      }),
    ]);
    pilot.start();
    await pilot.state('tcp', 'READY');
    await pilot.state('startup', 'READY');
    await until('it says how far it is', () =>
      bridge.of('beat').some(({ beat }) => beat.loading?.['pattern.instance']?.share === 0.5),
    );
    await until('the command was run', () =>
      bridge.of('beat').some(({ beat }) => beat.probes['command.instance']?.text === 'exited with 1'),
    );
    expect(pilot.last('pattern')?.state).toBe('INITIALIZING');
    expect(pilot.last('command')?.state).toBe('INITIALIZING');
    writeFileSync(join(pilot.work, 'go'), '');
    await pilot.state('pattern', 'READY');
    await pilot.state('command', 'READY');
    expect(readyProbe('pattern')).toMatchObject({ ok: true, text: 'ready to serve' });
    expect(readyProbe('command')).toMatchObject({ ok: true, text: 'instance 1' });
    await until('beats carry all roles', () => {
      const roles = bridge.of('beat').at(-1)?.beat.roles;
      return roles?.['startup.instance']?.startup?.ok && roles['tcp.instance']?.liveness?.ok;
    });
    bridge.close();
    await pilot.end();
  });

  it('after its warm-up request, and not without it', async () => {
    const asked = join(pilot.work, 'asked');
    const warmUp = { method: 'POST' as const, path: '/v1/completions', body: { prompt: 'hi' }, timeout: 20 };
    pilot.spool([
      pilot.service('warm', serve('--asked', asked), { warmUp }),
      pilot.service('cold', serve(), {
        warmUp: { ...warmUp, path: '/fail' },
        restarts: { max: 0, first: 1, factor: 2, longest: 1 },
      }),
    ]);
    pilot.start();
    await pilot.state('warm', 'READY');
    expect(readFileSync(asked, 'utf8')).toBe('/v1/completions {"prompt":"hi"}\n');
    const cold = await pilot.state('cold', 'FAILED');
    expect(cold.error).toMatchObject({ code: 'SERVICE_FAILED', field: 'warmUp' });
    expect(cold.error?.evidence).toBe('no such model');
    await pilot.end();
  });
});

describe('an instance is given up', () => {
  it('at once when it dies at its start, with its last lines, however long it may take to start', async () => {
    const restarts = { max: 0, first: 1, factor: 2, longest: 1 };
    pilot.spool([
      pilot.service('dies', ['sh', '-c', 'echo "unknown option --modle" >&2; exit 2'], {
        startTimeout: 3600,
        restarts,
      }),
    ]);
    pilot.start();
    const failed = await pilot.state('dies', 'FAILED');
    expect(failed).toMatchObject({ exitCode: 2, stderrTail: 'unknown option --modle' });
    expect(failed.error).toMatchObject({ code: 'SERVICE_FAILED', message: 'dies exited with 2' });
    expect(failed.error?.evidence).toBe('unknown option --modle');
    await pilot.end();
  });

  it('when its startup probe fails for too long, or its pattern is none', async () => {
    const restarts = { max: 0, first: 1, factor: 2, longest: 1 };
    pilot.spool([
      pilot.service('slow', serve('--starting', '600'), {
        probes: probes(probe({}), { startup: probe({ http: '/', failures: 2 }) }),
        restarts,
      }),
      pilot.service('pattern', ['sleep', '600'], { probes: probes(probe({ pattern: 'ready (' })) }),
    ]);
    pilot.start();
    const slow = await pilot.state('slow', 'FAILED');
    expect(slow.error?.message).toBe('slow did not start: its startup probe failed 2 times');
    expect(slow.error?.evidence).toBe('last probe: 503 Loading model');
    const pattern = await pilot.state('pattern', 'FAILED');
    expect(pattern.error).toMatchObject({ code: 'INVALID_DESCRIPTION', field: 'probes.readiness.pattern' });
    await pilot.end();
  });

  it('when it would show its key to everybody', async () => {
    pilot.spool([
      pilot.service('argument', ['server', '--key', '{apiKey}']),
      pilot.service('line', ['true'], { setup: ['export KEY={apiKey}'] }),
    ]);
    pilot.start();
    for (const [id, field] of [
      ['argument', 'command'],
      ['line', 'setup'],
    ] as const) {
      expect((await pilot.state(id, 'FAILED')).error).toMatchObject({ code: 'INVALID_DESCRIPTION', field });
    }
    await pilot.end();
  });
});

describe('an instance gets', () => {
  it('its named ports, its numbers, its environment and its setup lines', async () => {
    const { execFileSync } = await import('node:child_process');
    const venv = join(pilot.home, 'venv');
    execFileSync(PYTHON, ['-m', 'venv', '--without-pip', venv]);
    const script = `echo "{port:metrics} {cores} {gpus} {instance} $HELLO $VIRTUAL_ENV $(command -v python)" > said; exec python ${SCRIPT} {port}`;
    pilot.spool([
      pilot.service('llm', ['sh', '-c', script], {
        ports: [
          { name: 'http', protocol: 'http' },
          { name: 'metrics', protocol: 'tcp' },
        ],
        cores: 2,
        environment: { venv },
        setup: ['export HELLO=hello-{instance}'],
      }),
    ]);
    pilot.start();
    await pilot.state('llm', 'READY');
    const { url, ports = {} } = pilot.instances('llm').find(({ endpoint }) => endpoint)?.endpoint ?? {};
    expect(ports.http).toBe(url);
    expect(ports.metrics).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
    const metrics = new URL(ports.metrics ?? '').port;
    expect(readFileSync(join(pilot.work, 'said'), 'utf8')).toBe(
      `${metrics} 2 0 1 hello-1 ${venv} ${venv}/bin/python\n`,
    );
    await pilot.end();
  });

  it('the port that its description names, and says so when it is taken', async () => {
    const { createServer } = await import('node:net');
    const squatter = createServer();
    const port = await new Promise<number>((resolve) => {
      squatter.listen(0, '127.0.0.1', () => {
        const address = squatter.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    const restarts = { max: 1, first: 0.1, factor: 1, longest: 1 };
    pilot.spool([pilot.service('llm', serve(), { ports: [{ name: 'http', protocol: 'http', port }], restarts })]);
    pilot.start();
    const failed = await pilot.state('llm', 'FAILED');
    expect(failed.error).toMatchObject({ code: 'PORT_IN_USE', field: 'ports' });
    expect(pilot.instances('llm').filter(({ state }) => state === 'BACKOFF')).toHaveLength(1);
    squatter.close();
    await pilot.end();
  });
});

describe('a service of our own', () => {
  it('gets its keys, answers a ping, and says what it can do', async () => {
    const bridge = await TestBridge.open(pilot);
    const script = new URL('./servers/own-service.mjs', import.meta.url).pathname;
    pilot.spool([
      pilot.service('own', [process.execPath, script], {
        api: 'zeromq',
        ports: [{ name: 'zmq', protocol: 'zmq' }],
        probes: probes(probe({ zmq: true, timeout: '5s' })),
      }),
    ]);
    pilot.start();
    const ready = await pilot.state('own', 'READY');
    const { endpoint } = pilot.instances('own').find(({ state }) => state === 'READY') ?? {};
    expect(ready.state).toBe('READY');
    expect(endpoint?.serverKey).toHaveLength(40);
    const methods = await until(
      'its methods are known',
      () => pilot.journal().flatMap((one) => (one.type === 'service' && one.methods ? one.methods : []))[0],
    );
    expect(methods).toMatchObject({ name: 'call', input: { type: 'object' } });
    const curve = join(pilot.folder, 'services', 'own.instance.curve');
    expect(existsSync(curve)).toBe(true);
    pilot.spool([{ type: 'stop', service: 'own' }]);
    await pilot.state('own', 'STOPPED');
    await until('its keys are removed', () => !existsSync(curve) && !existsSync(endpoint?.keyFile ?? ''));
    bridge.close();
    await pilot.end();
  });
});
