import { spawn } from 'node:child_process';
import { mkdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { instanceOf, instancesOf, Misuse, serviceInput } from '../src/cli/services/input.js';
import { staleness } from '../src/cli/services/registry.js';
import { registryFileSchema } from '../src/managers/registry-file.js';
import { eventually, newKey, origin, TestHome } from './support/bridge.js';

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const CLI = file('../lib/cli/main.js');

let place: TestHome;
beforeEach(async () => {
  place = await TestHome.make();
  const launcher = { argv: [process.execPath, file('../lib/main.js')], cli: [process.execPath, CLI], version: '0.1.0' };
  await writeFile(join(place.home, 'launcher.json'), JSON.stringify(launcher));
});
afterEach(() => place.close());

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the command line as a user does, with text on stdin where given. */
function pilothouse(args: readonly string[], input = '', env: Record<string, string> = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, ...args], {
      env: { ...process.env, PILOTHOUSE_HOME: place.home, PILOTHOUSE_RUNTIME_DIR: place.runtimeDir, ...env },
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (data: Buffer) => {
      out += data.toString();
    });
    child.stderr.on('data', (data: Buffer) => {
      err += data.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, out, err }));
    child.stdin.end(input);
  });
}

async function json(args: readonly string[]): Promise<unknown> {
  return JSON.parse((await pilothouse([...args, '--json'])).out);
}

describe('where nothing runs', () => {
  it('status says so and starts nothing', async () => {
    const { code, out } = await pilothouse(['status']);
    expect({ code, out }).toEqual({ code: 0, out: 'Pilothouse does not run, and nothing of yours runs in it.\n' });
    expect(await json(['status'])).toEqual({ running: false, bridge: null, pilots: [], services: [], tasks: [] });
    expect(place.processes()).toEqual([]);
  });

  it('other commands start it by the launcher', async () => {
    const { code, out } = await pilothouse(['pilots']);
    expect(code).toBe(0);
    expect(out).toContain('No pilots.');
    expect((await pilothouse(['bridge', 'stop'])).out).toContain('has been stopped');
  });

  it('without a launcher say how to get one', async () => {
    const { code, err } = await pilothouse(['pilots'], '', { PILOTHOUSE_LAUNCHER: join(place.home, 'none.json') });
    expect(code).toBe(4);
    expect(err).toContain('(LAUNCHER_MISSING)');
  });

  it('end --all has nothing to do', async () => {
    expect(await pilothouse(['end', '--all'])).toMatchObject({ code: 0, out: 'There is no pilot to end.\n' });
  });
});

describe('clean', () => {
  it('says what stays and what goes, and why', async () => {
    const nothing = await pilothouse(['clean', '--dry-run']);
    expect(nothing).toMatchObject({ code: 0, err: '' });
    expect(nothing.out).toMatch(/^Nothing to remove; \d+ files with .* would stay\.\n$/);
    const folder = join(place.home, 'pilots', 'pilot-0000000000');
    await mkdir(folder);
    await writeFile(join(folder, 'pilot.json'), '{}');
    for (const path of [join(folder, 'pilot.json'), folder]) await utimes(path, 1, 1);
    const found = await json(['clean', '--dry-run']);
    expect(found).toMatchObject({ removed: [{ path: folder, files: 1 }] });
    expect((await stat(folder)).isDirectory()).toBe(true);
    expect((await pilothouse(['clean'])).out).toContain('14 days are kept');
    await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is told by doctor how much is kept, and what is wrong with a setting', async () => {
    const { out } = await pilothouse(['doctor'], '', { PILOTHOUSE_KEEP_SIZE: 'much' });
    expect(out).toContain('PILOTHOUSE_KEEP_SIZE=much is not understood; write it like 2GiB');
    expect(out).toContain('up to 2 GiB and 5000 files');
  });
});

describe('wrong usage', () => {
  it.each([
    [['explode'], 'There is no command "explode".'],
    [['explain'], 'Something is missing. Write: pilothouse explain <id or name>'],
    [['pilots', 'x'], 'There are too many words.'],
    [['pilots', '--nope'], "Unknown option '--nope'"],
    [['end'], 'Name one pilot, or write --all.'],
    [['credentials', 'add'], 'Write: pilothouse credentials'],
  ])('%j ends with 2', async (args, text) => {
    const { code, err } = await pilothouse(args);
    expect(err).toContain(text);
    expect(code).toBe(2);
  });

  it('is helped by --help, which lists commands and exit codes', async () => {
    const { code, out } = await pilothouse(['--help']);
    expect(code).toBe(0);
    for (const word of ['status', 'doctor', 'end --all', 'credentials add <name>', 'Exit codes: 0 done']) {
      expect(out).toContain(word);
    }
  });
});

describe('what is written after "services"', () => {
  it('is understood', () => {
    expect(instancesOf('3')).toBe(3);
    expect(instancesOf('0-4')).toEqual({ min: 0, max: 4 });
    expect(instanceOf('2')).toBe(2);
    const values = { param: ['ctx=512', 'fast=true', 'path=/a=b'], gpus: '2', instances: '1-2', open: true };
    expect(serviceInput('vllm', [], values)).toEqual({
      template: 'vllm',
      params: { ctx: 512, fast: true, path: '/a=b' },
      resources: { gpus: 2 },
      instances: { min: 1, max: 2 },
      allowUnauthenticated: true,
    });
  });

  it.each([
    () => instancesOf('many'),
    () => instanceOf('0'),
    () => serviceInput('x', [], { param: ['alone'] }),
    () => serviceInput('x', [], { cores: 'all' }),
    () => serviceInput('x', [], { api: 'soap' }),
  ])('is refused where it means nothing', (say) => {
    expect(say).toThrow(Misuse);
  });

  it('says why the file of services may be wrong by now', () => {
    const file = { v: 1 as const, at: '2026-01-01T00:00:00.000Z', epoch: 1, host: 'here', watched: true, services: [] };
    const at = Date.parse(file.at);
    expect(staleness(file, at + 60_000)).toBeNull();
    expect(staleness(file, at + 600_000)).toContain('written 600 s ago by Pilothouse on here');
    expect(staleness({ ...file, watched: false }, at + 5000)).toContain('Pilothouse ended 5 s ago');
  });
});

describe('services', () => {
  const ECHO = `import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()`;

  it('are started, scaled, listed, found in a file, and stopped', async () => {
    const { client, child } = await place.serve();
    await client.pilots.ensure({ name: 'demo', description: { cores: 2, runtime: '10m' }, origin, key: newKey() });
    const command = ['--api', 'rest', '--open', '--', 'python3', '-c', ECHO, '{host}', '{port}'];
    const looked = await pilothouse(['services', 'start', 'echo', '--preview', ...command]);
    expect(looked.out).toContain('Starts "echo" on pilot "demo": 1 instance with 1 core.');
    const started = await pilothouse(['services', 'start', 'echo', '--wait', ...command]);
    expect(started).toMatchObject({ code: 0, out: expect.stringContaining('Open to users of this node') });
    expect((await pilothouse(['services', 'scale', 'echo', '2'])).out).toContain('asked for 2 instances');
    await eventually('two', async () => {
      const { instances } = await client.services.get({ ref: 'echo' });
      return instances.filter(({ state }) => state === 'READY').length === 2;
    });
    expect((await pilothouse(['services'])).out).toMatch(/echo\s+\w{6}\s+READY\s+\d+ s\s+2\/2\s+0\s+0/);
    expect(await json(['services', '--file'])).toMatchObject({
      watched: true,
      stale: null,
      services: [{ name: 'echo' }],
    });
    expect((await pilothouse(['services', 'stop', 'echo'])).out).toBe('echo is being stopped.\n');
    expect((await pilothouse(['services', 'scale', 'echo'])).code).toBe(2);
    child.kill('SIGTERM');
    await eventually('the end in order', async () => {
      const file = registryFileSchema.parse(await place.whole('services.json'));
      return !file.watched;
    });
  });

  it('can be started by name where a template says how, and a bad file says what is wrong with it', async () => {
    await mkdir(join(place.home, 'templates'), { recursive: true });
    await writeFile(join(place.home, 'templates', 'mine.json'), '{"name": "mine"}');
    const { out } = await pilothouse(['services', 'templates']);
    expect(out).toMatch(/vllm\s+openai\s+Pilothouse\s+1\s+start/);
    expect(out).toMatch(/mine\s+any\s+user\s+0\s+no/);
    expect((await pilothouse(['services', 'templates', 'vllm'])).out).toMatch(/model\s+string\s+needed\s+Weights/);
    const { code, out: doctor } = await pilothouse(['doctor']);
    expect(code).toBe(0);
    expect(doctor).toContain(`mine.json: `);
  });
});

describe('with a pilot, a task and a service', () => {
  it('lists, explains, shows logs, cancels, and ends all after asking', async () => {
    const { client } = await place.serve();
    const pilot = await client.pilots.ensure({
      name: 'demo',
      description: { cores: 1, runtime: '10m' },
      origin,
      key: newKey(),
    });
    const submit = async (command: string[], cores: number) =>
      (await client.tasks.submit({ tasks: [{ description: { command, cores }, key: newKey() }], origin }))[0]?.id ?? '';
    const done = await submit(['sh', '-c', 'echo out; echo err >&2'], 1);
    await eventually('DONE', async () => (await client.tasks.get({ ref: done })).state === 'DONE');
    const long = await submit(['sleep', '1000'], 1);
    const waiting = await submit(['true'], 1);
    await eventually('a reason', async () => (await client.tasks.get({ ref: waiting })).reason !== null);

    const status = await pilothouse(['status']);
    expect(status.out).toMatch(/NAME\s+ID\s+STATE/);
    expect(status.out).toMatch(/demo\s+\w{6}\s+ACTIVE/);
    expect(await json(['status'])).toMatchObject({
      running: true,
      bridge: { home: place.home },
      pilots: [{ name: 'demo', state: 'ACTIVE' }],
      tasks: expect.arrayContaining([expect.objectContaining({ id: long })]),
    });
    expect((await pilothouse(['logs', done])).out).toBe('out\n');
    expect((await pilothouse(['logs', done, '--stderr'])).out).toBe('err\n');
    expect((await pilothouse(['logs', long])).err).toContain('Nothing was written to stdout so far');
    expect((await pilothouse(['explain', waiting.slice(0, -2)])).out).toMatch(/is SCHEDULING: waits for 1 core/);
    expect(await json(['explain', 'demo'])).toMatchObject({ id: pilot.id, state: 'ACTIVE' });
    expect((await pilothouse(['explain', 'nobody'])).code).toBe(3);
    expect((await pilothouse(['cancel', long])).code).toBe(0);
    await eventually('CANCELED', async () => (await client.tasks.get({ ref: long })).state === 'CANCELED');
    expect(await json(['tasks', '--all'])).toHaveLength(3);

    const asked = await pilothouse(['end', '--all']);
    expect(asked.code).toBe(1);
    expect(asked.err).toContain('demo');
    expect(asked.err).toContain('Nothing was ended.');
    expect((await client.pilots.get({ ref: pilot.id })).state).toBe('ACTIVE');
    const ended = await pilothouse(['end', '--all', '--yes']);
    expect(ended).toMatchObject({ code: 0, out: 'demo: DONE\n' });
    expect(await json(['pilots'])).toEqual([]);
  });

  it('status starts Pilothouse again where only pilots are left, so that nothing runs unseen', async () => {
    const { client, child } = await place.serve();
    await client.pilots.ensure({ name: 'demo', description: { runtime: '10m' }, origin, key: newKey() });
    await eventually('ACTIVE', async () => (await client.pilots.get({ ref: 'demo' })).state === 'ACTIVE');
    child.kill('SIGKILL');
    expect(await json(['status'])).toMatchObject({ running: true, pilots: [{ name: 'demo', state: 'ACTIVE' }] });
  });
});

it('a credential is read from stdin, kept in a private file, and never shown', async () => {
  const secret = 's3cret-never-shown';
  expect((await pilothouse(['credentials', 'add', 'r3'], `${secret}\n`)).out).toBe('r3 is stored.\n');
  const path = join(place.home, 'credentials', 'r3');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readFile(path, 'utf8')).toContain(secret);
  const listed = await pilothouse(['credentials']);
  expect(listed.out).toMatch(/^NAME\s+STORED\s+LAST USED\nr3\s/);
  expect(listed.out).not.toContain(secret);
  expect(await readFile(join(place.runtimeDir, 'bridge.log'), 'utf8')).not.toContain(secret);
  expect((await pilothouse(['credentials', 'remove', 'r3'])).code).toBe(0);
  expect(await json(['credentials'])).toEqual([]);
  expect((await pilothouse(['credentials', 'add', 'empty'], '\n')).code).toBe(1);
});

describe('doctor', () => {
  it('finds all in order, with what it saw', async () => {
    const { code, out } = await pilothouse(['doctor']);
    expect(code).toBe(0);
    for (const title of [
      'State root',
      'Runtime folder',
      'Socket',
      'Ownership',
      'Launcher',
      'Node',
      'Python',
      'This machine',
      'Disk space',
      'Clock',
    ]) {
      expect(out).toContain(`${title}: `);
    }
    const { client } = await place.serve();
    const { checks } = await client.system.doctor({});
    expect(checks.find(({ id }) => id === 'socket')).toMatchObject({
      result: 'ok',
      evidence: expect.stringContaining('answers'),
    });
  });

  it('names what is wrong and the remedy, and ends with 5', async () => {
    await writeFile(join(place.home, 'launcher.json'), '{');
    const { code, out } = await pilothouse(['doctor']);
    expect(code).toBe(5);
    expect(out).toContain(`✕ failed  Launcher: ${join(place.home, 'launcher.json')} is damaged`);
    expect(out).toContain('run the set-up again');
  });
});
