import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Place, refusal } from './support.js';

const SSHD = '/usr/sbin/sshd';

/** A real server of this machine, which knows one key and lets its owner in; it ends with the tests. */
class Server {
  readonly place = new Place();
  readonly port: number;
  readonly config = `${this.place.root}/ssh_config`;
  #ended: Promise<void> = Promise.resolve();
  #stop: () => void = () => undefined;

  constructor(port: number) {
    this.port = port;
    const { root } = this.place;
    for (const name of ['host_key', 'user_key']) {
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(root, name)]);
    }
    const host = readFileSync(join(root, 'host_key.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
    this.place.write({
      authorized: readFileSync(join(root, 'user_key.pub')),
      known: `[127.0.0.1]:${port} ${host}\n`,
      sshd_config: [
        `Port ${port}`,
        'ListenAddress 127.0.0.1',
        `HostKey ${root}/host_key`,
        `AuthorizedKeysFile ${root}/authorized`,
        'PidFile none',
        'PasswordAuthentication no',
        'KbdInteractiveAuthentication no',
        'UsePAM no',
        // The folder of a test is one below /tmp, where everybody may write.
        'StrictModes no',
        `Subsystem sftp internal-sftp`,
      ].join('\n'),
      ssh_config: `IdentityFile ${root}/user_key\nIdentitiesOnly yes\nUserKnownHostsFile ${root}/known\n`,
      stranger_config: `IdentityFile ${root}/user_key\nIdentitiesOnly yes\nUserKnownHostsFile ${root}/nobody\n`,
      keyless_config: `IdentityFile ${root}/no_key\nIdentitiesOnly yes\nUserKnownHostsFile ${root}/known\n`,
    });
  }

  async start(): Promise<void> {
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
    const child = spawn(SSHD, ['-D', '-e', '-f', join(this.place.root, 'sshd_config')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#ended = new Promise((resolve) => child.once('exit', () => resolve()));
    this.#stop = () => void child.kill('SIGTERM');
    await new Promise<void>((resolve, reject) => {
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.includes('Server listening')) resolve();
      });
      child.once('exit', () => reject(new Error(`sshd ended: ${said}`)));
    });
  }

  async stop(): Promise<void> {
    this.#stop();
    await this.#ended;
    this.place.remove();
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

describe.each([['rsync'], ['scp']] as const)('transfer by ssh, with %s', (program) => {
  let server: Server;
  let place: Place;
  let url: string;

  beforeAll(async () => {
    server = new Server(await freePort());
    await server.start();
    url = `ssh://127.0.0.1:${server.port}${server.place.root}`;
  });
  afterAll(() => server.stop());

  beforeEach(() => {
    place = new Place();
    place.env = { ...place.env, PATH: pathWith(program, place), PILOTHOUSE_SSH_CONFIG: server.config };
    return () => place.remove();
  });

  it('brings files and folders whatever their names, with their checksums compared', async () => {
    server.place.write({ 'data/it’s $(x) a.bin': Buffer.alloc(200_000, 3), 'data/deep/b.csv': 'b' });
    const file = encodeURIComponent('it’s $(x) a.bin');
    const [report] = await place.stage('in', { from: `${url}/data/${file}`, to: 'in/', checksum: 'sha256' });
    expect(statSync(join(place.cwd, 'in/it’s $(x) a.bin')).size).toBe(200_000);
    expect(report).toMatchObject({ state: 'DONE', files: 1, path: join(place.cwd, 'in/it’s $(x) a.bin') });
    await place.stage('in', { from: `${url}/data/deep`, to: 'renamed', checksum: 'sha256' });
    expect(readFileSync(join(place.cwd, 'renamed/b.csv'), 'utf8')).toBe('b');
    await place.stage('in', { from: `${url}/data/*`, to: 'all/' });
    expect(readdirSync(join(place.cwd, 'all')).sort()).toEqual(['deep', 'it’s $(x) a.bin']);
    expect(readdirSync(place.cwd).sort()).toEqual(['all', 'in', 'renamed']);
  });

  it('sends files and folders', async () => {
    place.write({ 'cwd/out/a b.txt': 'a', 'cwd/out/deep/c.txt': 'c' });
    await place.stage('out', { from: 'out/**/*.txt', to: `${url}/got/`, checksum: 'sha256' });
    await place.stage('out', { from: 'out', to: `${url}/whole` });
    const at = (path: string): string => readFileSync(join(server.place.root, path), 'utf8');
    expect([at('got/a b.txt'), at('got/deep/c.txt'), at('whole/deep/c.txt')]).toEqual(['a', 'c', 'c']);
    expect(readdirSync(join(server.place.root, 'got')).sort()).toEqual(['a b.txt', 'deep']);
  });

  it('says what is wrong, and what to do', async () => {
    const from = `${url}/data/none.csv`;
    expect(await refusal(place.stage('in', { from }))).toMatchObject({ code: 'DATA_NOT_FOUND', field: 'stageIn.0' });
    const as = async (config: string): Promise<unknown> => {
      place.env = { ...place.env, PILOTHOUSE_SSH_CONFIG: join(server.place.root, config) };
      return refusal(place.stage('in', { from }));
    };
    expect(await as('stranger_config')).toMatchObject({
      code: 'PERMISSION_DENIED',
      hint: expect.stringContaining('check the key'),
    });
    expect(await as('keyless_config')).toMatchObject({
      code: 'PERMISSION_DENIED',
      hint: expect.stringContaining('BatchMode'),
    });
    place.env = { ...place.env, PILOTHOUSE_SSH_CONFIG: server.config };
    const nobody = `ssh://127.0.0.1:${await freePort()}/x`;
    expect(await refusal(place.stage('in', { from: nobody }))).toMatchObject({
      code: 'STAGING_FAILED',
      retryable: true,
    });
    expect(readdirSync(place.cwd)).toEqual([]);
  });
});

/** A PATH of programs that a transfer needs; without rsync, scp has to do. */
function pathWith(program: 'rsync' | 'scp', place: Place): string {
  const path = process.env.PATH ?? '/usr/bin:/bin';
  if (program === 'rsync') return path;
  const bin = join(place.root, 'bin');
  mkdirSync(bin);
  for (const name of ['ssh', 'scp']) {
    writeFileSync(join(bin, name), `#!/bin/sh\nPATH='${path}' exec ${name} "$@"\n`, { mode: 0o755 });
  }
  return bin;
}
