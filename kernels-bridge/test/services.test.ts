import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { ServiceRecord } from '@pilothouse/sdk/internal';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Client, errorOf, eventually, newKey, origin, TestHome } from './support/bridge.js';

let place: TestHome;
let client: Client;
beforeEach(async () => {
  place = await TestHome.make();
  ({ client } = await place.serve());
  await client.pilots.ensure({ name: 'demo', description: { cores: 2, runtime: '10m' }, origin, key: newKey() });
});
afterEach(() => place.close());

/** A real HTTP server that asks for the key it was given, on everything but its health. */
const SERVER = `
import http.server, os, sys
key = open(os.environ["KEY_FILE"]).read().strip()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = self.path == "/health" or self.headers.get("authorization") == "Bearer " + key
        self.send_response(200 if known else 401)
        self.end_headers()
    def log_message(self, *args):
        print("asked", self.path, flush=True)
http.server.HTTPServer(("{host}".strip(), int(sys.argv[1])), Handler).serve_forever()
`;
const description = {
  command: ['python3', '-c', SERVER, '{port}'],
  env: { KEY_FILE: '{apiKeyFile}' },
  probes: { readiness: { http: '/health', interval: '200ms' } },
};

const ensure = (more: object = {}) =>
  client.services.ensure({ name: 'echo', description: { ...description, ...more }, origin, key: newKey() });

const reached = (...states: ServiceRecord['state'][]) =>
  eventually(states.join(' or '), async () => {
    const now = await client.services.get({ ref: 'echo' });
    return states.includes(now.state) && now;
  });

describe('a service', () => {
  it('becomes ready with its bootstrap time in parts, is found again, probed, read, and stopped', async () => {
    const [first, second] = await Promise.all([ensure(), ensure()]);
    expect(first.id).toBe(second.id);
    await reached('READY');
    // How long publishing took is known once it is published, so it comes a moment later.
    const ready = await eventually('bootstrap times', async () => {
      const now = await client.services.get({ ref: 'echo' });
      return now.instances[0]?.bootstrap !== null && now;
    });
    const [instance] = ready.instances;
    expect(instance?.endpoint?.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(instance?.bootstrap?.launch).toBeGreaterThan(0);
    expect(instance?.bootstrap?.init).toBeGreaterThan(0);
    expect(instance?.bootstrap?.publish).toBeGreaterThanOrEqual(0);
    expect(ready.openToNode).toBe(false);
    expect((await client.services.probe({ ref: 'echo' })).instances[0]?.probe).toMatchObject({ ok: true });
    const log = await eventually('a log', async () => {
      const chunk = await client.services.log({ ref: 'echo', stream: 'stdout' });
      return chunk.text !== '' && chunk;
    });
    expect(log.text).toContain('asked /health');
    expect(await errorOf(client.services.log({ ref: 'echo', stream: 'stdout', instance: 2 }))).toMatchObject({
      code: 'INVALID_DESCRIPTION',
      field: 'instance',
    });
    await client.services.stop({ ref: 'echo' });
    const ended = await eventually('STOPPED', async () => {
      const now = await client.services.get({ ref: first.id });
      return now.endedAt !== null && now;
    });
    expect(ended.state).toBe('STOPPED');
    expect((await client.services.log({ ref: first.id, stream: 'stdout' })).complete).toBe(true);
    // Its name is free again.
    expect((await ensure()).id).not.toBe(first.id);
  });

  it('described differently is refused with the difference', async () => {
    await ensure();
    expect(await errorOf(ensure({ instances: 2 }))).toMatchObject({
      code: 'DESCRIPTION_CHANGED',
      field: 'instances',
      evidence: 'instances: 1 → 2',
    });
  });

  it('with two instances is degraded while one is down, and whole again after its restart', async () => {
    await ensure({ instances: 2 });
    const ready = await reached('READY');
    expect(ready.instances.map(({ index, state }) => [index, state])).toEqual([
      [1, 'READY'],
      [2, 'READY'],
    ]);
    const port = ready.instances[0]?.endpoint?.url.split(':').at(-1) ?? '';
    const [victim] = place.processes().filter(({ command }) => command.trimEnd().endsWith(port));
    process.kill(victim?.pid ?? 0, 'SIGKILL');
    const hurt = await reached('DEGRADED');
    expect(hurt.reason?.text).toMatch(/^1 of 2 ready; /);
    const whole = await reached('READY');
    expect(whole.instances[0]?.attempt).toBe(2);
    expect(whole.instances[1]?.attempt).toBe(1);
  });

  it('that cannot start fails with what it said', async () => {
    await ensure({ command: ['sh', '-c', 'echo "index not found" >&2; exit 3', '{apiKeyFile}'], restarts: 0 });
    const failed = await eventually('FAILED', async () => {
      const [now] = await client.services.list({ all: true });
      return now?.state === 'FAILED' && now;
    });
    expect(failed.error).toMatchObject({ code: 'SERVICE_FAILED', ids: { service: failed.id } });
    expect(failed.instances[0]?.stderrTail).toContain('index not found');
    expect((await client.services.explain({ ref: failed.id })).evidence.join('\n')).toContain('index not found');
  });

  it('is waited for by a task that names it, which finds address and key in its environment', async () => {
    await ensure();
    const [task] = await client.tasks.submit({
      tasks: [
        {
          description: {
            command: ['sh', '-c', 'echo "$OPENAI_BASE_URL"; test -n "$OPENAI_API_KEY" && echo has-key'],
            services: ['echo'],
          },
          key: newKey(),
        },
      ],
      origin,
    });
    const ref = task?.id ?? '';
    await eventually('DONE', async () => (await client.tasks.get({ ref })).state === 'DONE');
    const { gateway } = await client.pilots.get({ ref: 'demo' });
    expect((await client.tasks.log({ ref, stream: 'stdout' })).text).toBe(`${gateway?.url}/v1\nhas-key\n`);
  });
});

describe('starting a service', () => {
  it('refuses a server without a key, unless that is said', async () => {
    const open = {
      command: ['python3', '-m', 'http.server', '{port}', '--bind', '{host}'],
      env: {},
      probes: { readiness: { http: '/' } },
    };
    expect(await errorOf(ensure(open))).toMatchObject({ code: 'UNAUTHENTICATED_SERVICE' });
    expect((await ensure({ ...open, allowUnauthenticated: true })).openToNode).toBe(true);
  });

  it('refuses a command that holds a stored secret', async () => {
    await client.credentials.put({ name: 'mine', secret: 'very-secret-text' });
    const command = ['server', '--header', 'x: very-secret-text', '{apiKeyFile}'];
    const refused = await errorOf(ensure({ command }));
    expect(refused).toMatchObject({ code: 'INVALID_DESCRIPTION', field: 'command' });
    expect(JSON.stringify(refused)).not.toContain('very-secret-text');
  });

  it.each([
    [{ command: undefined, template: 'nope' }, 'template', 'INVALID_DESCRIPTION'],
    [{ resources: { cores: 99 } }, 'resources.cores', 'INVALID_DESCRIPTION'],
    [{ pilot: 'nope' }, 'ref', 'PILOT_NOT_FOUND'],
  ])('%j names the field', async (more, field, code) => {
    expect(await errorOf(ensure(more))).toMatchObject({ code, field });
    // The name was not taken by what failed.
    expect(await client.services.list({})).toEqual([]);
  });
});

describe('what others can reach', () => {
  it('is one TCP port per instance and one of the pilot’s own router, on loopback', async () => {
    await ensure();
    const { instances } = await reached('READY');
    const { gateway } = await client.pilots.get({ ref: 'demo' });
    const addresses = [instances[0]?.endpoint?.url, gateway?.url].filter((url) => url !== undefined);
    expect(addresses).toHaveLength(2);
    expect(listening(place.processes().map(({ pid }) => pid)).sort()).toEqual(
      addresses.map((url) => url.slice('http://'.length)).sort(),
    );
  });

  it.skipIf(process.getuid?.() !== 0)('is no socket of another user', () => {
    const script =
      'require("net").connect(process.argv[1]).on("error", (e) => console.log(e.code)).on("connect", () => console.log("in"))';
    const { stdout } = spawnSync(
      'setpriv',
      ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, '-e', script, place.socket],
      { encoding: 'utf8' },
    );
    expect(stdout).toBe('EACCES\n');
  });
});

/** Addresses that these processes listen at over TCP, read from /proc. */
function listening(pids: readonly number[]): string[] {
  const inodes = new Set<string>();
  for (const pid of pids) {
    for (const name of readdirSync(`/proc/${pid}/fd`)) {
      try {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${name}`))?.[1];
        if (inode !== undefined) inodes.add(inode);
      } catch {
        // Closed while we looked.
      }
    }
  }
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A' && inodes.has(fields[9] ?? ''))
      .map(([, local = '']) => {
        const [address = '', port = ''] = local.split(':');
        const octets = address.match(/../g)?.map((hex) => Number.parseInt(hex, 16)) ?? [];
        return `${octets.reverse().join('.')}:${Number.parseInt(port, 16)}`;
      }),
  );
}
