import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** What belongs to one connection (RFC 9110, 7.6.1), or is made anew here. */
const OF_THE_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'content-length',
  'expect',
]);

/** What opens this gateway opens nothing behind it, and must not be seen there. */
const SECRET = new Set(['authorization', 'cookie', 'x-api-key', 'x-xsrftoken']);

const PREFIX = 'x-pilothouse-';

/** Headers of a request as they go on to an instance, as a flat list of names and values. */
export function onward({ headers }: IncomingMessage, key: string | null): string[] {
  const list: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || OF_THE_CONNECTION.has(name) || SECRET.has(name) || name.startsWith(PREFIX)) continue;
    for (const one of typeof value === 'string' ? [value] : value) list.push(name, one);
  }
  if (key !== null) list.push('authorization', `Bearer ${key}`);
  return list;
}

/** The few headers that a request of OpenAI's API needs. */
export function onwardJson({ headers }: IncomingMessage, key: string | null): string[] {
  const list = ['content-type', headers['content-type'] ?? 'application/json'];
  if (headers.accept !== undefined) list.push('accept', headers.accept);
  const id = headers['x-request-id'];
  if (typeof id === 'string') list.push('x-request-id', id);
  if (key !== null) list.push('authorization', `Bearer ${key}`);
  return list;
}

/** Headers of an answer as they go back to the client. */
export function back(headers: IncomingHttpHeaders, instance: string): string[] {
  const list: string[] = [];
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || OF_THE_CONNECTION.has(name)) continue;
    // What a model server allows other web pages is meant for its own address, not for this one.
    if (name.startsWith('access-control-')) continue;
    if (typeof value === 'string') list.push(name, value);
    else for (const one of value) list.push(name, one);
  }
  list.push('x-pilothouse-instance', instance);
  return list;
}

/** A header of ours as a whole number; undefined: not there, or no number. */
export function numberHeader({ headers }: IncomingMessage, name: string): number | undefined {
  const value = headers[PREFIX + name];
  return typeof value === 'string' && /^-?\d{1,9}$/.test(value) ? Number(value) : undefined;
}

/** A header of ours as text. */
export function textHeader({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[PREFIX + name];
  return typeof value === 'string' && value !== '' ? value.slice(0, 256) : undefined;
}
