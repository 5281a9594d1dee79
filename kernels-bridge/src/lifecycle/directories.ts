import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { newId, PilothouseError } from '@pilothouse/sdk/internal';
import type { Config } from '../config.js';

/** Longest path that fits into a socket address; longer ones are cut silently by the system. */
const SOCKET_PATH_BYTES = 107;

/** Makes the state root and the runtime dir with what lies in them, and refuses what others could have prepared. */
export function prepareDirectories(config: Config): void {
  // Wardens bind sockets of the longest name there is; a path that fits the bridge alone would fail its first pilot.
  const warden = join(config.runtimeDir, 'w', `${newId('pilot')}.sock`);
  for (const path of [config.socket, config.agentsSocket, warden]) checkSocketPath(path);
  for (const path of [
    config.home,
    ...['lease', 'log', 'calls', 'pilots', 'credentials'].map((name) => join(config.home, name)),
    config.runtimeDir,
    ...['w', 'p'].map((name) => join(config.runtimeDir, name)),
  ]) {
    privateDirectory(path);
  }
}

/** Makes a folder that only its owner can enter, or checks that the one there is such a folder. */
export function privateDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new PilothouseError('UNSAFE_PATH', `${path} cannot be made`, {
      hint: `Check who owns ${path} and the folders above it, or choose another with PILOTHOUSE_HOME or PILOTHOUSE_RUNTIME_DIR.`,
      cause,
    });
  }
  const stat = lstatSync(path);
  const uid = process.getuid?.();
  if (stat.isSymbolicLink() || !stat.isDirectory()) {
    throw new PilothouseError('UNSAFE_PATH', `${path} is ${stat.isSymbolicLink() ? 'a symbolic link' : 'no folder'}`, {
      hint: `Remove ${path}, or choose another folder with PILOTHOUSE_HOME or PILOTHOUSE_RUNTIME_DIR.`,
    });
  }
  if (uid !== undefined && stat.uid !== uid) {
    throw new PilothouseError('UNSAFE_PATH', `${path} belongs to user ${stat.uid}, not to you (${uid})`, {
      hint: `Ask its owner to remove ${path}, or choose another folder with PILOTHOUSE_HOME or PILOTHOUSE_RUNTIME_DIR.`,
    });
  }
  // Ours, but perhaps made by hand with a wider mode: narrow it instead of refusing.
  if ((stat.mode & 0o077) !== 0) chmodSync(path, 0o700);
}

/** Refuses a socket path that the system would cut. */
export function checkSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes > SOCKET_PATH_BYTES) {
    throw new PilothouseError('UNSAFE_PATH', `the socket path ${path} has ${bytes} bytes; ${SOCKET_PATH_BYTES} fit`, {
      hint: 'Choose a shorter folder with PILOTHOUSE_RUNTIME_DIR.',
    });
  }
}
