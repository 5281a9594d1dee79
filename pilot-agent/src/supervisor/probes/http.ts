import { type IncomingMessage, request } from 'node:http';
import type { ProbeResult } from '@pilothouse/sdk/shared';
import { SERVICE_HOST } from '../ports.js';
import { Look } from './result.js';

/** One request to a local port. */
export interface LocalRequest {
  readonly port: number;
  readonly method?: string;
  readonly path: string;
  readonly key: string | null;
  readonly body?: string;
  /** milliseconds */
  readonly timeout: number;
}

/** GET on a path of a local port; 2xx passes. Never rejects: what goes wrong is the result. */
export async function probeHttp(asked: LocalRequest): Promise<ProbeResult> {
  const look = new Look();
  try {
    const { status, text } = await askLocally(asked, (response) => response.resume());
    return look.result(status >= 200 && status < 300, text);
  } catch (error) {
    return look.result(false, whyNot(asked.port, error));
  }
}

/** Sends a request and resolves with the status, as soon as the head of the answer is there or `read` has resolved. */
export function askLocally(
  { port, method = 'GET', path, key, body, timeout }: LocalRequest,
  read: (response: IncomingMessage) => unknown,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    };
    const call = request({ host: SERVICE_HOST, port, path, method, headers, agent: false }, (response) => {
      const status = response.statusCode ?? 0;
      const text = `${status} ${response.statusMessage ?? ''}`.trim();
      Promise.resolve(read(response)).then(() => {
        resolve({ status, text });
        clearTimeout(timer);
        call.destroy();
      }, reject);
    });
    // Of the whole: a server that sends a byte now and then would never be silent.
    const timer = setTimeout(() => call.destroy(new Error(`no answer within ${timeout / 1000} s`)), timeout);
    call.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    call.end(body);
  });
}

/** Why a local port did not answer, in words. */
export function whyNot(port: number, error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'ECONNREFUSED') return nothingListens(port);
  return error.message;
}

/** The result as long as nobody is there. */
export function nothingListens(port: number): string {
  return `nothing listens on port ${port} yet`;
}
