import { lstatSync, mkdirSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { PilothouseError } from '../errors/index.js';

/** Longest path that fits into a socket address; the system cuts longer ones silently. */
const SOCKET_PATH_BYTES = 107;

/** Where Pilothouse keeps its state and meets its clients. */
export interface Paths {
  /** State root, on the shared file system. */
  readonly home: string;
  /** Node-local folder of sockets and logs. */
  readonly runtimeDir: string;
  readonly launcher: string;
  readonly log: string;
  /** Where a bridge started here will listen. */
  readonly socket: string;
}

/** Finds the folders the way every part of Pilothouse does. */
export function locate(home?: string): Paths {
  const root = resolve(home ?? (process.env.PILOTHOUSE_HOME || join(homedir(), '.pilothouse')));
  const runtimeDir = resolve(process.env.PILOTHOUSE_RUNTIME_DIR || `/tmp/pilothouse-${userInfo().uid}`);
  return {
    home: root,
    runtimeDir,
    launcher: resolve(process.env.PILOTHOUSE_LAUNCHER || join(root, 'launcher.json')),
    log: join(runtimeDir, 'bridge.log'),
    socket: join(runtimeDir, 'bridge.sock'),
  };
}

/** Refuses a socket path that the system would cut. */
export function checkSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= SOCKET_PATH_BYTES) return;
  throw new PilothouseError('UNSAFE_PATH', `The socket path ${path} has ${bytes} bytes; ${SOCKET_PATH_BYTES} fit.`, {
    hint: 'Choose a shorter folder with PILOTHOUSE_RUNTIME_DIR.',
  });
}

/** Makes a folder that only its owner can enter, and refuses one that somebody else may have prepared. */
export function privateDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new PilothouseError('UNSAFE_PATH', `${path} cannot be made.`, {
      hint: `Check who owns the folders above it, or choose another with PILOTHOUSE_HOME or PILOTHOUSE_RUNTIME_DIR.`,
      cause,
    });
  }
  checkPrivate(path);
}

/** Refuses a folder that is a link or belongs to somebody else; one that is not there is fine. */
export function checkPrivate(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  const uid = process.getuid?.();
  if (stat.isSymbolicLink() || !stat.isDirectory()) {
    throw new PilothouseError('UNSAFE_PATH', `${path} is ${stat.isSymbolicLink() ? 'a symbolic link' : 'no folder'}.`, {
      hint: 'Remove it, or choose another folder with PILOTHOUSE_HOME or PILOTHOUSE_RUNTIME_DIR.',
    });
  }
  if (uid !== undefined && stat.uid !== uid) throw foreignPath(path, stat.uid, uid);
}

/** The error of a socket or folder that belongs to another user. */
export function foreignPath(path: string, owner: number, uid: number): PilothouseError {
  return new PilothouseError('PERMISSION_DENIED', `${path} belongs to user ${owner}, not to you (${uid}).`, {
    hint: 'Each user has a Pilothouse of their own: unset PILOTHOUSE_HOME and PILOTHOUSE_RUNTIME_DIR, or run as its owner.',
  });
}
