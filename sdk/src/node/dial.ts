import { lstat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { WebSocket } from 'ws';
import type { Dial, Dialed } from '../client/connection/socket.js';
import { abortable, pause } from '../client/deadline.js';
import { PilothouseError } from '../errors/index.js';
import { codeOf, readLease, refuseForeignLease } from './lease.js';
import { checkPrivate, checkSocketPath, foreignPath, type Paths } from './paths.js';
import { startBridge } from './start-bridge.js';

const START_SECONDS = 30;
const LOOK_AGAIN_MS = 25;
const HANDSHAKE_MS = 10_000;
const CLOSE_MS = 1_000;
/** The bridge keeps messages to 8 MiB; more is somebody else. */
const LARGEST_MESSAGE = 32 * 1024 * 1024;

const SOCKET_OPTIONS = {
  perMessageDeflate: false,
  maxPayload: LARGEST_MESSAGE,
  handshakeTimeout: HANDSHAKE_MS,
  closeTimeout: CLOSE_MS,
};

/**
 * Opens a socket to the user's bridge, starting it where none answers.
 *
 * @param takeOver - start it also while one of another host holds the lease
 */
export function dialLocal(paths: Paths, takeOver: boolean): Dial {
  return async (signal) => {
    checkPrivate(paths.runtimeDir);
    const lease = await readLease(paths.home);
    const candidates = new Set([paths.socket]);
    if (lease && lease.host === hostname()) candidates.add(lease.socket);
    for (const path of [...candidates].reverse()) {
      const open = await tryOpen(path, signal);
      if (open) return open;
    }
    if (lease && !takeOver) refuseForeignLease(lease);
    return startAndOpen(paths, takeOver, signal);
  };
}

async function startAndOpen(paths: Paths, takeOver: boolean, signal: AbortSignal): Promise<Dialed> {
  checkSocketPath(paths.socket);
  const bridge = await startBridge(paths, takeOver);
  const deadline = performance.now() + START_SECONDS * 1000;
  while (performance.now() < deadline) {
    await pause(LOOK_AGAIN_MS, signal);
    signal.throwIfAborted();
    const open = await tryOpen(paths.socket, signal);
    if (open) return open;
    bridge.check();
  }
  throw bridge.tooSlow(START_SECONDS);
}

/** An open socket, or null where nobody listens. */
async function tryOpen(path: string, signal: AbortSignal): Promise<Dialed | null> {
  checkSocketPath(path);
  await checkOwner(path);
  const socket = new WebSocket(`ws+unix:${path}:/ws`, SOCKET_OPTIONS);
  const opened = new Promise<Dialed | null>((resolve, reject) => {
    socket.once('open', () => resolve({ socket, onSignOfLife: (callback) => socket.on('ping', callback) }));
    // Stays for the socket's life: an 'error' event that nobody hears ends the process.
    socket.on('error', (error) => {
      const code = codeOf(error);
      if (code === 'ENOENT' || code === 'ECONNREFUSED') resolve(null);
      else reject(openFailed(path, error));
    });
  });
  try {
    return await abortable(opened, signal);
  } catch (error) {
    socket.terminate();
    throw error;
  }
}

async function checkOwner(path: string): Promise<void> {
  try {
    const { uid: owner } = await lstat(path);
    const uid = process.getuid?.();
    if (uid !== undefined && owner !== uid) throw foreignPath(path, owner, uid);
  } catch (error) {
    if (error instanceof PilothouseError) throw error;
    if (codeOf(error) !== 'ENOENT') throw openFailed(path, error);
  }
}

function openFailed(path: string, cause: unknown): PilothouseError {
  const code = codeOf(cause);
  if (code === 'EACCES' || code === 'EPERM') {
    return new PilothouseError('PERMISSION_DENIED', `You may not use the socket ${path}: it belongs to another user.`, {
      hint: 'Each user has a Pilothouse of their own: unset PILOTHOUSE_HOME and PILOTHOUSE_RUNTIME_DIR, or run as its owner.',
      cause,
    });
  }
  return new PilothouseError('BRIDGE_UNREACHABLE', `Pilothouse does not answer at ${path}.`, {
    hint: 'Run "pilothouse doctor" to see why; the connection is tried again meanwhile.',
    evidence: cause instanceof Error ? cause.message : String(cause),
    cause,
  });
}
