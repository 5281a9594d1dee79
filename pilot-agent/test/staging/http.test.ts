import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mayMount, Place, refusal } from './support.js';

const BODY = Buffer.alloc(300_000, 'pilothouse ');
const SUM = createHash('sha256').update(BODY).digest('hex');

let place: Place;
let servers: Server[];
beforeEach(() => {
  place = new Place();
  servers = [];
});
afterEach(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  place.remove();
});

async function serve(answer: RequestListener, made: Server = createServer()): Promise<string> {
  made.on('request', answer);
  servers.push(made);
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  const address = made.address();
  return `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

/** Answers as servers of files do: with a length, a validator, and ranges. */
function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  cut?: { after: number; once: Promise<void> },
): void {
  const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const rest = BODY.subarray(from);
  response.writeHead(from > 0 ? 206 : 200, { etag: '"v1"', 'content-length': rest.length });
  if (cut === undefined) response.end(rest);
  else response.write(rest.subarray(0, cut.after), () => void cut.once.then(() => response.destroy()));
}

describe('transfer by https', () => {
  it('brings a file, follows to another address, and tells its bytes', async () => {
    const host = await serve((request, response) => {
      if (request.url === '/data/a%20b.bin') sendFile(request, response);
      else response.writeHead(302, { location: '/data/a%20b.bin' }).end();
    });
    const [report] = await place.stage('in', { from: `http://${host}/data/a%20b.bin`, checksum: `sha256:${SUM}` });
    expect(report).toMatchObject({
      action: 'transfer',
      state: 'DONE',
      files: 1,
      bytes: BODY.length,
      total: BODY.length,
    });
    expect(report?.path).toBe(join(place.cwd, 'a b.bin'));
    expect(readFileSync(join(place.cwd, 'a b.bin'))).toEqual(BODY);
    await place.stage('in', { from: `http://${host}/other.bin`, to: 'deep/er/name.bin', checksum: 'sha256' });
    expect(statSync(join(place.cwd, 'deep/er/name.bin')).size).toBe(BODY.length);
    expect(readdirSync(place.cwd).sort()).toEqual(['a b.bin', 'deep']);
  });

  it('goes on where a connection broke', async () => {
    const ranges: (string | undefined)[] = [];
    const arrived = Promise.withResolvers<void>();
    const host = await serve((request, response) => {
      ranges.push(request.headers.range);
      sendFile(request, response, ranges.length === 1 ? { after: 100_000, once: arrived.promise } : undefined);
    });
    place.onReport = ([report]) => {
      if (report?.bytes === 100_000) arrived.resolve();
    };
    const [report] = await place.stage('in', { from: `http://${host}/f.bin` });
    expect(readFileSync(join(place.cwd, 'f.bin'))).toEqual(BODY);
    expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
    expect(report).toMatchObject({ bytes: BODY.length, total: BODY.length });
  });

  it('trusts the certificates it is told to, and no others', async () => {
    const files = [join(place.root, 'key.pem'), join(place.root, 'cert.pem')] as const;
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
    const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', files[0], '-out', files[1], ...subject];
    execFileSync('openssl', made, { stdio: 'ignore' });
    const tls = createTlsServer({ key: readFileSync(files[0]), cert: readFileSync(files[1]) });
    const host = await serve((request, response) => sendFile(request, response), tls);
    const error = await refusal(place.stage('in', { from: `https://${host}/f.bin` }));
    expect(error).toMatchObject({ code: 'STAGING_FAILED' });
    expect(error.hint).toContain('SSL_CERT_FILE');
    place.env = { ...place.env, SSL_CERT_FILE: files[1] };
    await place.stage('in', { from: `https://${host}/f.bin` });
    expect(readdirSync(place.cwd)).toEqual(['f.bin']);
  });

  it('goes through the caller’s proxy', async () => {
    const host = await serve((request, response) => sendFile(request, response));
    const asked: string[] = [];
    const proxy = createServer((request, response) => {
      asked.push(request.url ?? '');
      sendFile(request, response);
    }).on('connect', (request: IncomingMessage, socket: Socket) => {
      asked.push(request.url ?? '');
      const [name = '', port = ''] = (request.url ?? '').split(':');
      const onward = connect(Number(port), name, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
      onward.pipe(socket).pipe(onward);
      for (const one of [onward, socket]) one.on('error', () => undefined);
    });
    const through = await serve(() => undefined, proxy);
    place.env = { ...place.env, http_proxy: `http://${through}` };
    await place.stage('in', { from: `http://${host}/f.bin` });
    expect(asked.length).toBe(1);
    expect(asked[0]).toContain(host);
  });

  it('sends files, each by its name below a folder', async () => {
    const got = new Map<string, string>();
    const host = await serve((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        got.set(`${request.method} ${request.url}`, Buffer.concat(pieces).toString());
        response.writeHead(201).end();
      });
    });
    place.write({ 'cwd/out/a.txt': 'a', 'cwd/out/b/c d.txt': 'c' });
    const [report] = await place.stage('out', { from: 'out/**/*.txt', to: `http://${host}/results/` });
    expect(Object.fromEntries(got)).toEqual({ 'PUT /results/a.txt': 'a', 'PUT /results/b/c%20d.txt': 'c' });
    expect(report).toMatchObject({ files: 2, bytes: 2 });
  });

  it('says what a server refuses, and leaves nothing', async () => {
    const host = await serve((request, response) => {
      if (request.url === '/busy') response.writeHead(503, { 'retry-after': '0' }).end('later');
      else response.writeHead(Number(request.url?.slice(1, 4))).end('because');
    });
    const code = async (path: string): Promise<string> =>
      (await refusal(place.stage('in', { from: `http://${host}/${path}` }))).code;
    expect(await code('404/x')).toBe('DATA_NOT_FOUND');
    expect(await code('403/x?token=secret')).toBe('PERMISSION_DENIED');
    expect(await code('400/x')).toBe('STAGING_FAILED');
    const secret = await refusal(place.stage('in', { from: `http://${host}/403/x?token=secret` }));
    expect(JSON.stringify(secret)).not.toContain('secret');
    const wrong = { from: `http://${host}/200/x`, checksum: `sha256:${SUM}` };
    expect(await refusal(place.stage('in', wrong))).toMatchObject({ code: 'CHECKSUM_MISMATCH' });
    for (const from of [
      'http://example.org/f',
      'https://me:secret@example.org/f',
      'ftp://example.org/f',
      'https://example.org/',
    ]) {
      expect(await refusal(place.stage('in', { from })), from).toMatchObject({ code: 'INVALID_DESCRIPTION' });
    }
    expect(readdirSync(place.cwd)).toEqual([]);
  });

  it.skipIf(!mayMount)('refuses at once what does not fit', async () => {
    const host = await serve((request, response) => sendFile(request, response));
    const to = `${place.mount('small', 'size=128k')}/`;
    expect(await refusal(place.stage('in', { from: `http://${host}/f.bin`, to }))).toMatchObject({ code: 'DISK_FULL' });
    expect(readdirSync(to)).toEqual([]);
  });

  it('stops when it is canceled', async () => {
    let begun: () => void = () => undefined;
    const begins = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const host = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('some', () => begun());
    });
    const failed = refusal(place.stage('in', { from: `http://${host}/f.bin` }));
    await begins;
    place.cancel();
    expect(await failed).toMatchObject({ code: 'TASK_CANCELED' });
    expect(readdirSync(place.cwd)).toEqual([]);
  });
});
