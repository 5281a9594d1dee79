import { mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { errorOf, eventually, exitOf, newKey, origin, TestHome } from './support/bridge.js';

let place: TestHome;
beforeEach(async () => {
  place = await TestHome.make();
});
afterEach(() => place.close());

const hello = { protocol: 1, version: '0.0.0', client: 'test' };

describe('folders and socket', () => {
  it('are private', async () => {
    await place.serve();
    const mode = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;
    expect(await mode(place.home)).toBe(0o700);
    expect(await mode(place.runtimeDir)).toBe(0o700);
    expect(await mode(place.socket)).toBe(0o600);
    expect(await mode(join(place.home, 'log'))).toBe(0o700);
  });

  it('are refused when they are a symbolic link', async () => {
    await rm(place.runtimeDir, { recursive: true });
    await mkdir(`${place.runtimeDir}-real`);
    await symlink(`${place.runtimeDir}-real`, place.runtimeDir);
    expect(await exitOf(place.start())).toBe(1);
    await rm(`${place.runtimeDir}-real`, { recursive: true });
    expect(place.output).toContain(`UNSAFE_PATH: ${place.runtimeDir} is a symbolic link`);
    expect(place.output).toContain(`Remove ${place.runtimeDir}`);
  });

  it('are refused when the path is too long for a socket', async () => {
    const long = join(place.runtimeDir, 'x'.repeat(100));
    expect(await exitOf(place.start({ PILOTHOUSE_RUNTIME_DIR: long }))).toBe(1);
    expect(place.output).toMatch(/UNSAFE_PATH: the socket path .* has \d+ bytes; 107 fit/);
  });
});

describe('starting', () => {
  it('replaces a stale socket', async () => {
    const stale = createServer();
    await new Promise<void>((resolve) => stale.listen(place.socket, resolve));
    // Closed by the kernel only: what a killed bridge leaves behind.
    await writeFile(join(place.runtimeDir, 'agents.ipc'), '');
    const { client } = await (async () => {
      stale.close();
      await writeFile(place.socket, '');
      return place.serve();
    })();
    expect((await client.system.hello(hello)).home).toBe(place.home);
  });

  it('many times at once leaves one bridge, and the others end well', async () => {
    const children = Array.from({ length: 5 }, () => place.start());
    const { client } = await place.connect();
    const { epoch } = await client.system.hello(hello);
    await eventually('four have ended', async () => children.filter(({ exitCode }) => exitCode === 0).length === 4);
    expect(children.filter(({ exitCode }) => exitCode === null)).toHaveLength(1);
    expect((await client.system.hello(hello)).epoch).toBe(epoch);
    expect(place.output).toContain('nothing to do');
  });

  it('in another runtime dir of the same host ends well while the first answers', async () => {
    const { client } = await place.serve();
    const second = await place.elsewhere();
    expect(await exitOf(second.start())).toBe(0);
    expect(second.output).toContain(`a bridge already answers at ${place.socket}`);
    expect((await client.system.hello(hello)).home).toBe(place.home);
    await rm(second.runtimeDir, { recursive: true });
  });

  it('goes on in the next epoch after a kill, with everything that was there', async () => {
    const first = await place.serve();
    const { id } = await first.client.pilots.submit({ description: { runtime: '5m' }, origin, key: newKey() });
    await eventually('ACTIVE', async () => (await first.client.pilots.get({ ref: id })).state === 'ACTIVE');
    first.child.kill('SIGKILL');
    await exitOf(first.child);
    const { client } = await place.serve();
    expect((await client.system.hello(hello)).epoch).toBe(2);
    const pilot = await client.pilots.get({ ref: id });
    expect(pilot.state).toBe('ACTIVE');
    await eventually('contact', async () => !(await client.pilots.get({ ref: id })).contact.lost);
  });
});

describe('ending', () => {
  it('by SIGTERM gives the lease back and leaves pilots alone', async () => {
    const { client, child } = await place.serve();
    const { id } = await client.pilots.submit({ description: { runtime: '5m' }, origin, key: newKey() });
    await eventually('ACTIVE', async () => (await client.pilots.get({ ref: id })).state === 'ACTIVE');
    child.kill('SIGTERM');
    expect(await exitOf(child)).toBe(0);
    const lease: unknown = JSON.parse(await readFile(join(place.home, 'lease', '1'), 'utf8'));
    expect(lease).toMatchObject({ epoch: 1, released: true });
    expect(place.processes().some(({ command }) => command.includes('warden.py'))).toBe(true);
  });

  it('by the call answers it first', async () => {
    const { client, child } = await place.serve();
    expect(await client.system.stop({})).toEqual({});
    expect(await exitOf(child)).toBe(0);
  });

  it('comes by itself when nobody needs it', async () => {
    const { child, socket } = await place.serve({ PILOTHOUSE_IDLE_EXIT_SECONDS: '1' });
    socket.close();
    expect(await exitOf(child)).toBe(0);
    expect(place.output).toContain('nobody needs it');
  });
});

describe('a bridge on another host', () => {
  const otherHost = ['unshare', '--uts', 'sh', '-c', 'hostname elsewhere && exec "$@"', 'sh'];

  it('is refused while the lease is held, and says where it is', async () => {
    await place.serve();
    const other = await place.elsewhere();
    expect(await exitOf(other.start({}, otherHost))).toBe(1);
    expect(other.output).toMatch(/OWNED_ELSEWHERE: Pilothouse runs for you on \S+/);
    expect(other.output).toContain('PILOTHOUSE_TAKE_OVER=1');
    await rm(other.runtimeDir, { recursive: true });
  });

  it('takes over when asked: the first refuses every call and ends, and nothing that runs is lost', async () => {
    const first = await place.serve();
    const { id } = await first.client.pilots.submit({ description: { runtime: '5m' }, origin, key: newKey() });
    await eventually('ACTIVE', async () => (await first.client.pilots.get({ ref: id })).state === 'ACTIVE');
    const other = await place.elsewhere();
    const taken = other.serve({ PILOTHOUSE_TAKE_OVER: '1' }, otherHost);
    const error = await eventually('a refusal', async () =>
      first.client.system.hello(hello).then(
        () => null,
        () => errorOf(first.client.system.hello(hello)),
      ),
    );
    expect(error).toMatchObject({ code: 'OWNERSHIP_MOVED', message: 'Pilothouse has been taken over on elsewhere' });
    expect(error.hint).toContain('PILOTHOUSE_TAKE_OVER=1');
    expect(await exitOf(first.child)).toBe(0);
    const { client } = await taken;
    expect(await client.system.hello(hello)).toMatchObject({ epoch: 2, host: 'elsewhere' });
    expect((await client.pilots.get({ ref: id })).state).toBe('ACTIVE');
    await other.close();
  });
});
