import { readdir, readFile, readlink } from 'node:fs/promises';
import { createServer } from 'node:net';

/** Where services listen: this node alone. */
export const SERVICE_HOST = '127.0.0.1';

const LISTENING = '0A';

/**
 * A port that is free on loopback at this moment. Somebody else may take it before the service does; the service then
 * says that its address is in use, and is started on another.
 */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen({ host: SERVICE_HOST, port: 0, exclusive: true }, () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port);
        else reject(new Error('the system gave no port'));
      });
    });
  });
}

/**
 * Whose process listens on a port: one of the session (or with the mark) of ours, or a foreign one, which must not be
 * taken for the service and never be shown its key.
 */
export async function ownerOfPort(port: number, session: number, mark: string): Promise<'own' | 'foreign' | 'unknown'> {
  const inodes = await listeningInodes(port);
  if (inodes.size === 0) return 'unknown';
  for (const pid of await readdir('/proc')) {
    if (/^\d+$/.test(pid) && (await belongs(pid, session, mark)) && (await holds(pid, inodes))) return 'own';
  }
  return 'foreign';
}

async function listeningInodes(port: number): Promise<Set<string>> {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of (await readFile(table, 'utf8').catch(() => '')).split('\n')) {
      const fields = line.trim().split(/\s+/);
      if (fields[1]?.endsWith(wanted) && fields[3] === LISTENING && fields[9]) inodes.add(fields[9]);
    }
  }
  return inodes;
}

async function belongs(pid: string, session: number, mark: string): Promise<boolean> {
  // A process may go at any moment while it is looked at; then it holds no port either.
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
  if (Number(fields[3]) === session) return true;
  const environ = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  return environ.split('\0').includes(mark);
}

async function holds(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
    const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
    if (target.startsWith('socket:[') && inodes.has(target.slice(8, -1))) return true;
  }
  return false;
}
