import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { PilothouseError } from '@pilothouse/sdk/internal';
import { connect, type Session } from '@pilothouse/sdk/node';
import type { Config } from '../config.js';
import { answers, readLease } from '../lifecycle/lease.js';

/** Runs a step with a session, starting Pilothouse where it does not run; the session is closed whatever happens. */
export async function withSession<T>(step: (session: Session) => Promise<T>): Promise<T> {
  const session = await connect({ name: 'pilothouse command line', timeout: '30s' });
  try {
    return await step(session);
  } finally {
    await session.close();
  }
}

/** Where the user's bridge answers on this host; null where none does. */
export async function findBridge(config: Config): Promise<string | null> {
  const lease = await readLease(config.home);
  const candidates = lease !== null && lease.host === hostname() ? [lease.socket, config.socket] : [config.socket];
  for (const path of candidates) if (await answers(path)) return path;
  return null;
}

/** Whether pilots run on this host although no bridge does: then it is started, to be asked. */
export async function pilotsRun(config: Config): Promise<boolean> {
  const folder = join(config.runtimeDir, 'w');
  for (const name of await readdir(folder).catch(() => [])) {
    if (name.endsWith('.sock') && (await answers(join(folder, name)))) return true;
  }
  return false;
}

/**
 * Calls a procedure at a bridge that runs, which a session would start where it does not.
 *
 * @param timeout - milliseconds
 * @returns what it answers, unchecked
 */
export function callBridge(socket: string, path: string, input: object = {}, timeout = 5000): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown): void =>
      reject(
        new PilothouseError('BRIDGE_UNREACHABLE', `${socket} does not answer`, {
          hint: 'Run "pilothouse doctor" to see why.',
          cause,
        }),
      );
    const headers = { 'content-type': 'application/json' };
    const call = request({ socketPath: socket, path: `/api/v1/${path}`, method: 'POST', headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (more: string) => {
        text += more;
      });
      answer.once('end', () => {
        if (answer.statusCode === 200) resolve(text === '' ? undefined : JSON.parse(text));
        else failed(`HTTP ${answer.statusCode}: ${text}`);
      });
    });
    call.setTimeout(timeout, () => call.destroy(new Error(`no answer within ${timeout / 1000} s`)));
    call.once('error', failed);
    call.end(JSON.stringify(input));
  });
}
