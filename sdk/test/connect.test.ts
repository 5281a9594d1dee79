import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect } from '../src/node/index.js';
import { kill, NODE24, Product, REPO, runProgram } from './support/product.js';
import { eventually } from './support/sessions.js';

let product: Product;
beforeEach(() => {
  product = new Product();
});
afterEach(async () => {
  await product.remove();
});

const SCRIPT = `
import { connect } from ${JSON.stringify(join(REPO, 'sdk/lib/node/index.js'))};
const session = await connect();
const pilot = await session.pilots.ensure('demo', { cores: 1, runtime: '5m' });
pilot.status$.subscribe(() => {});
const task = await session.tasks.submit({ command: ['sh', '-c', 'echo hello'] });
console.log((await task.result({ timeout: '30s' })).stdout.trim());
await session.close();
`;

describe('connect', () => {
  it('starts Pilothouse once, however many connect at the same time, and it outlives them', async () => {
    const sessions = await Promise.all([connect({ name: 'a' }), connect({ name: 'b' }), connect({ name: 'c' })]);
    const epochs = sessions.map(({ connection }) => connection.bridge?.epoch);
    expect(new Set(epochs).size).toBe(1);
    await eventually(() => product.bridges().length === 1, 'only one stays');
    await Promise.all(sessions.map((session) => session.close()));
    const again = await connect();
    expect(again.connection.bridge?.epoch).toBe(epochs[0]);
    await again.close();
  });

  it('starts it again after it was killed; what was submitted is still there', async () => {
    const session = await connect();
    const pilot = await session.pilots.ensure('demo', { cores: 1, runtime: '5m' });
    await pilot.until('ACTIVE', { timeout: '30s' });
    const task = await session.tasks.submit({ command: ['sleep', '600'] });
    await task.until('RUNNING', { timeout: '30s' });
    for (const pid of product.bridges()) kill(pid);
    await eventually(() => session.connection.state === 'RECONNECTING', 'the loss is noticed');
    const same = await session.pilots.ensure('demo', { cores: 1, runtime: '5m' });
    expect(same.id).toBe(pilot.id);
    expect(task.state).toBe('RUNNING');
    await task.cancel();
    expect((await task.done({ timeout: '30s' })).state).toBe('CANCELED');
    await pilot.end();
    expect((await pilot.done({ timeout: '30s' })).state).toMatch(/DONE|CANCELED/);
    await session.close();
  });

  it('hands on neither keys nor what marks a task, with which the task would take it along', async () => {
    const mine = { PILOTHOUSE_TASK_ID: 'task-1', PILOTHOUSE_PILOT: 'pilot-1', SECRET_API_KEY: 'hush', TZ: 'UTC' };
    Object.assign(process.env, mine);
    try {
      await (await connect()).close();
    } finally {
      for (const name of Object.keys(mine)) delete process.env[name];
    }
    const given = readFileSync(`/proc/${product.bridges()[0]}/environ`, 'utf8').split('\0');
    expect(given).toContain('TZ=UTC');
    expect(given.filter((variable) => /^PILOTHOUSE_(TASK_ID|PILOT)=|SECRET/.test(variable))).toEqual([]);
  });

  it('refuses what is too large for a call, and keeps the connection', async () => {
    const session = await connect();
    const { bridge } = session.connection;
    const text = 'ä'.repeat(5 * 1024 * 1024);
    await expect(session.pilots.submit({ name: text })).rejects.toMatchObject({
      code: 'INVALID_DESCRIPTION',
      message: 'This has 10 MiB; a call takes at most 8 MiB.',
    });
    expect(session.connection).toMatchObject({ state: 'CONNECTED', bridge });
    await session.close();
  });

  it.each([
    ['this Node', process.execPath],
    ['Node 24', NODE24],
  ])('a script ends by itself after close(), on %s', async (_name, node) => {
    const { code, stdout, stderr } = await runProgram([node, '--input-type=module', '-e', SCRIPT], {
      cwd: product.folder,
      env: product.env,
    });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'hello\n', stderr: '' });
  });
});

describe('connect says what is wrong', () => {
  it('LAUNCHER_MISSING', async () => {
    rmSync(product.launcher);
    await expect(connect()).rejects.toMatchObject({
      code: 'LAUNCHER_MISSING',
      hint: expect.stringContaining('npm start'),
    });
  });

  it('BRIDGE_START_FAILED, with the last lines of its log', async () => {
    await product.remove();
    product = new Product(['sh', '-c', 'echo the disk is full >&2; exit 3']);
    await expect(connect()).rejects.toMatchObject({
      code: 'BRIDGE_START_FAILED',
      message: expect.stringContaining('exit code 3'),
      evidence: 'the disk is full',
    });
  });

  it('BRIDGE_START_FAILED, where the program is not there', async () => {
    await product.remove();
    product = new Product(['/nowhere/node']);
    await expect(connect()).rejects.toMatchObject({ code: 'BRIDGE_START_FAILED' });
  });

  it('UNSAFE_PATH, for a runtime folder that is a link, and for one too long for a socket', async () => {
    symlinkSync('/tmp', product.runtimeDir);
    await expect(connect()).rejects.toMatchObject({ code: 'UNSAFE_PATH', message: expect.stringContaining('link') });
    process.env.PILOTHOUSE_RUNTIME_DIR = join(product.folder, 'x'.repeat(120));
    await expect(connect()).rejects.toMatchObject({ code: 'UNSAFE_PATH', hint: expect.stringContaining('shorter') });
  });

  it('OWNED_ELSEWHERE, naming the host, while another host holds the lease', async () => {
    const lease = {
      v: 1,
      epoch: 7,
      host: `not-${hostname()}`,
      socket: join(product.runtimeDir, 'bridge.sock'),
      pid: 1,
      version: '0.1.0',
      startedAt: new Date().toISOString(),
      heartbeat: new Date().toISOString(),
      released: false,
    };
    mkdirSync(join(product.home, 'lease'), { recursive: true, mode: 0o700 });
    writeFileSync(join(product.home, 'lease/7'), JSON.stringify(lease));
    await expect(connect()).rejects.toMatchObject({
      code: 'OWNED_ELSEWHERE',
      message: expect.stringContaining(lease.host),
      hint: expect.stringContaining('PILOTHOUSE_TAKE_OVER'),
    });
    writeFileSync(join(product.home, 'lease/7'), JSON.stringify({ ...lease, released: true }));
    const session = await connect();
    expect(session.connection.bridge?.epoch).toBe(8);
    await session.close();
  });

  it.runIf(process.getuid?.() === 0)('PERMISSION_DENIED, to another user', async () => {
    const session = await connect();
    chmodSync(product.folder, 0o755);
    const script = `
      import { connect } from ${JSON.stringify(join(REPO, 'sdk/lib/node/index.js'))};
      await connect().then(() => console.log('connected'), (error) => console.log(error.code, '|', error.hint));
    `;
    const { stdout, stderr } = await runProgram(
      ['setpriv', '--reuid=12345', '--clear-groups', process.execPath, '--input-type=module', '-e', script],
      { cwd: '/', env: product.env },
    );
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^PERMISSION_DENIED \| Each user has a Pilothouse of their own/);
    await session.close();
  });
});
