import { createReadStream } from 'node:fs';
import { type FileHandle, open, readFile, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PilothouseError } from '@pilothouse/sdk/shared';
import type { Dispatcher } from 'undici';
import { stagingCanceled } from '../failures.js';
import { fileModeIn } from '../folders.js';
import { shownUrl } from '../locations.js';
import { noRoom } from '../put.js';
import type { Run } from '../run.js';
import { writeAll } from '../write-all.js';
import { checkScheme, dataRefused, notReached, Temporary } from './http-failures.js';
import type { Outgoing, Transfer } from './transfer.js';

/** Attempts in all; a connection that broke goes on where it stopped, if the server can. */
const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 500;
const REDIRECTS = 10;
/** Milliseconds without a byte after which a connection counts as broken. */
const SILENCE_MS = 60_000;

/** What makes a later answer the same file as an earlier one. */
interface Validator {
  readonly etag: string | undefined;
  readonly modified: string | undefined;
}

/** Files by HTTPS: fetched by GET, sent by PUT. Proxies and certificate authorities are those of the caller's environment. */
export class HttpTransfer implements Transfer {
  readonly protocols = ['https:', 'http:'];

  async fetch(run: Run, url: URL, folder: string): Promise<void> {
    checkScheme(run, url);
    const target = join(folder, nameIn(url, run.field));
    const agent = await dispatcherFor(run.env);
    const file = await open(target, 'w', 0o600);
    try {
      const state: Download = { at: 0, validator: undefined };
      await withPatience(run, url, () => download(run, url, agent, file, state, target));
      // Open as files there are; its folder is for this transfer alone.
      await file.chmod(await fileModeIn(dirname(folder)));
    } finally {
      await file.close();
      await agent.close();
    }
  }

  async send(run: Run, files: readonly Outgoing[], url: URL, into: boolean): Promise<void> {
    checkScheme(run, url);
    const agent = await dispatcherFor(run.env);
    try {
      for (const { path, below } of files) {
        const found = await stat(path);
        if (!found.isFile()) {
          throw new PilothouseError(
            'STAGING_FAILED',
            `${run.field}: ${path} is a folder, which cannot be sent by HTTPS`,
            {
              hint: 'Pack it into one file in the task, or name its files by a pattern.',
              field: run.field,
            },
          );
        }
        const to = new URL(url);
        if (into)
          to.pathname = `${to.pathname.replace(/\/$/, '')}/${below.split('/').map(encodeURIComponent).join('/')}`;
        run.progress.expect(found.size);
        await withPatience(run, to, () => upload(run, path, found.size, to, agent));
        run.progress.file();
      }
    } finally {
      await agent.close();
    }
  }
}

interface Download {
  at: number;
  validator: Validator | undefined;
}

async function download(
  run: Run,
  url: URL,
  agent: Dispatcher,
  file: FileHandle,
  state: Download,
  target: string,
): Promise<void> {
  const range = resumeHeaders(state);
  const { statusCode, headers, body } = await get(run, url, agent, range);
  if (statusCode !== 206) {
    run.progress.bytes(-state.at);
    state.at = 0;
    await file.truncate(0);
  }
  state.validator = { etag: strong(one(headers.etag)), modified: one(headers['last-modified']) };
  const length = Number(one(headers['content-length']) ?? Number.NaN);
  if (Number.isFinite(length)) {
    if (state.at === 0) run.progress.expect(length);
    const { bavail, bsize } = await statfs(dirname(target));
    if (length > bavail * bsize) {
      body.destroy();
      throw noRoom(run.field, dirname(target), length, bavail * bsize);
    }
  }
  let received = 0;
  for await (const chunk of body) {
    const bytes: Buffer = chunk;
    await writeAll(file, bytes, bytes.length, state.at);
    state.at += bytes.length;
    received += bytes.length;
    run.progress.bytes(bytes.length);
  }
  // A proxy that ends a connection early looks like an end; the length tells.
  if (Number.isFinite(length) && received !== length)
    throw new Temporary(`it ended after ${received} of ${length} bytes`);
}

function resumeHeaders({ at, validator }: Download): Record<string, string> {
  const same = validator?.etag ?? validator?.modified;
  return at > 0 && same !== undefined ? { range: `bytes=${at}-`, 'if-range': same } : {};
}

async function get(
  run: Run,
  from: URL,
  agent: Dispatcher,
  range: Record<string, string>,
): Promise<Dispatcher.ResponseData> {
  const { request } = await import('undici');
  let url = from;
  for (let hops = 0; hops <= REDIRECTS; hops += 1) {
    const response = await request(url, {
      dispatcher: agent,
      method: 'GET',
      // The bytes as they lie there: what is packed stays packed, and ranges mean what they say.
      headers: { 'accept-encoding': 'identity', 'user-agent': 'pilothouse', ...range },
      signal: run.signal,
    });
    const { statusCode, headers, body } = response;
    const to = one(headers.location);
    if (statusCode < 300 || statusCode >= 400 || to === undefined) {
      if (statusCode >= 200 && statusCode < 300) return response;
      throw await dataRefused(run, url, statusCode, body);
    }
    await body.dump();
    url = new URL(to, url);
    checkScheme(run, url);
  }
  throw new PilothouseError('STAGING_FAILED', `${run.field}: ${shownUrl(from)} leads from one address to the next`, {
    hint: 'Check the URL with a browser, and give the last address.',
    field: run.field,
  });
}

async function upload(run: Run, path: string, size: number, url: URL, agent: Dispatcher): Promise<void> {
  const { request } = await import('undici');
  let sent = 0;
  const stream = createReadStream(path, { highWaterMark: 1 << 20 });
  stream.on('data', (chunk) => {
    sent += chunk.length;
    run.progress.bytes(chunk.length);
  });
  try {
    const { statusCode, body } = await request(url, {
      dispatcher: agent,
      method: 'PUT',
      headers: {
        'content-length': String(size),
        'content-type': 'application/octet-stream',
        'user-agent': 'pilothouse',
      },
      body: stream,
      signal: run.signal,
    });
    if (statusCode < 200 || statusCode >= 300) throw await dataRefused(run, url, statusCode, body);
    await body.dump();
  } catch (error) {
    run.progress.bytes(-sent);
    throw error;
  } finally {
    stream.destroy();
  }
}

/** Tries again after what passes: broken connections, servers that are busy. */
async function withPatience(run: Run, url: URL, attempt: () => Promise<void>): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (run.signal.aborted) throw stagingCanceled();
      if (error instanceof PilothouseError) throw error;
      const failure = notReached(run, url, error);
      if (!failure.temporary || tried === ATTEMPTS) throw failure.error;
      await delay(FIRST_PAUSE_MS * 2 ** (tried - 1), undefined, { signal: run.signal }).catch(() => {
        throw stagingCanceled();
      });
    }
  }
}

/** The caller's proxies, and the certificates that the caller's programs trust. */
async function dispatcherFor(env: Readonly<Record<string, string>>): Promise<Dispatcher> {
  const { EnvHttpProxyAgent } = await import('undici');
  const pick = (name: string): string | undefined => env[name] ?? env[name.toUpperCase()];
  const authorities = env.SSL_CERT_FILE ?? env.REQUESTS_CA_BUNDLE;
  const ca = authorities === undefined ? undefined : await readFile(authorities, 'utf8').catch(() => undefined);
  const trust = ca === undefined ? {} : { connect: { ca }, requestTls: { ca }, proxyTls: { ca } };
  const proxies = {
    httpProxy: pick('http_proxy') ?? '',
    httpsProxy: pick('https_proxy') ?? '',
    noProxy: pick('no_proxy') ?? '',
  };
  return new EnvHttpProxyAgent({ ...proxies, ...trust, headersTimeout: SILENCE_MS, bodyTimeout: SILENCE_MS });
}

/**
 * The name that a file gets: the last part of the URL's path. Never what the server suggests, and never a name that leads
 * to another folder.
 */
export function nameIn(url: URL, field: string): string {
  const last = url.pathname.split('/').at(-1) ?? '';
  const name = decoded(last);
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) {
    throw new PilothouseError(
      'INVALID_DESCRIPTION',
      `${field}: ${shownUrl(url)} does not end with the name of a file`,
      {
        hint: 'Give the URL of one file.',
        field,
      },
    );
  }
  return name;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A lone % means itself.
  }
}

/** A weak validator does not promise the same bytes. */
function strong(etag: string | undefined): string | undefined {
  return etag?.startsWith('W/') ? undefined : etag;
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
