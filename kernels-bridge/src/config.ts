import { readFileSync } from 'node:fs';
import { homedir, hostname, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LEASE_HEARTBEAT_SECONDS, toBytes, toSeconds } from '@pilothouse/sdk/internal';
import { z } from 'zod';

/** How much of what is over is kept: the oldest goes first as soon as one of the three is exceeded. */
export interface KeepLimits {
  /** bytes of everything in the state root */
  readonly bytes: number;
  /** files in the state root */
  readonly files: number;
  /** seconds since its end */
  readonly age: number;
}

const MIB = 1024 * 1024;
const DAY = 24 * 3600;

/** Everything the bridge takes from its surroundings, read once at the start. */
export interface Config {
  readonly version: string;
  readonly host: string;
  readonly user: string;
  /** The user's home, where tasks without a folder of their own start. */
  readonly userHome: string;
  /** State root, on the shared file system. */
  readonly home: string;
  /** Node-local folder of sockets, cache and live output. */
  readonly runtimeDir: string;
  readonly socket: string;
  /** Where agents connect. */
  readonly agentsSocket: string;
  /** Take the lease although another host holds it. */
  readonly takeOver: boolean;
  /** Seconds without pilot, client or kept answer after which the bridge ends by itself. */
  readonly idleExit: number;
  /** Seconds between two heartbeats of the lease. */
  readonly heartbeat: number;
  /** Program that runs agents: this Node. */
  readonly node: string;
  /** Let local pilots run on what looks like a login node. */
  readonly allowLoginNode: boolean;
  /** File that says how to start Pilothouse. */
  readonly launcher: string;
  /** The umask of whoever started the bridge: the one that tasks get. */
  readonly umask: number;
  /** bytes that a file of a task may have to be given out by Pilothouse; larger ones are copied from where they lie */
  readonly fileLimit: number;
  /** What is kept of what is over. */
  readonly keep: KeepLimits;
  readonly env: Readonly<NodeJS.ProcessEnv>;
}

const packageSchema = z.object({ version: z.string() });

/** Version of this package. */
export function packageVersion(): string {
  const file = fileURLToPath(new URL('../package.json', import.meta.url));
  return packageSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).version;
}

/** State root and runtime dir as every part of Pilothouse finds them; XDG variables differ between login, portal and job. */
export function locate(env: Readonly<NodeJS.ProcessEnv>): { home: string; runtimeDir: string; launcher: string } {
  const home = resolve(env.PILOTHOUSE_HOME || join(homedir(), '.pilothouse'));
  const runtimeDir = resolve(env.PILOTHOUSE_RUNTIME_DIR || `/tmp/pilothouse-${userInfo().uid}`);
  return { home, runtimeDir, launcher: resolve(env.PILOTHOUSE_LAUNCHER || join(home, 'launcher.json')) };
}

/** Reads the configuration from the environment. */
export function resolveConfig(env: Readonly<NodeJS.ProcessEnv> = process.env, umask = 0o077): Config {
  const { home, runtimeDir, launcher } = locate(env);
  return {
    version: packageVersion(),
    host: hostname(),
    user: userInfo().username,
    userHome: userInfo().homedir,
    home,
    runtimeDir,
    socket: join(runtimeDir, 'bridge.sock'),
    agentsSocket: join(runtimeDir, 'agents.ipc'),
    takeOver: env.PILOTHOUSE_TAKE_OVER === '1',
    idleExit: seconds(env.PILOTHOUSE_IDLE_EXIT_SECONDS, 15 * 60),
    heartbeat: seconds(env.PILOTHOUSE_HEARTBEAT_SECONDS, LEASE_HEARTBEAT_SECONDS),
    node: process.execPath,
    allowLoginNode: env.PILOTHOUSE_ALLOW_LOGIN_NODE === '1',
    launcher,
    umask,
    fileLimit: amount(env, 'PILOTHOUSE_FILE_LIMIT', 64 * MIB),
    keep: {
      bytes: amount(env, 'PILOTHOUSE_KEEP_SIZE', 2048 * MIB),
      files: amount(env, 'PILOTHOUSE_KEEP_FILES', 5000),
      age: amount(env, 'PILOTHOUSE_KEEP_AGE', 14 * DAY),
    },
    env,
  };
}

/** Settings with a unit: how each is read, and how it is to be written. */
const AMOUNTS = {
  PILOTHOUSE_FILE_LIMIT: { read: toBytes, like: '64MiB' },
  PILOTHOUSE_KEEP_SIZE: { read: toBytes, like: '2GiB' },
  PILOTHOUSE_KEEP_FILES: { read: Number, like: '5000' },
  PILOTHOUSE_KEEP_AGE: { read: toSeconds, like: '14d' },
} as const;

/** What is wrong with settings that are not understood, and therefore not used; `pilothouse doctor` says it. */
export function wrongSettings(env: Readonly<NodeJS.ProcessEnv>): string[] {
  return Object.entries(AMOUNTS).flatMap(([name, { read, like }]) => {
    const text = env[name];
    const wrong = text !== undefined && text !== '' && amountOf(text, read) === null;
    return wrong ? [`${name}=${text} is not understood; write it like ${like}`] : [];
  });
}

function amount(env: Readonly<NodeJS.ProcessEnv>, name: keyof typeof AMOUNTS, fallback: number): number {
  const text = env[name];
  return text === undefined || text === '' ? fallback : (amountOf(text, AMOUNTS[name].read) ?? fallback);
}

function amountOf(text: string, read: (text: string) => number): number | null {
  try {
    const value = read(text);
    return Number.isFinite(value) && value > 0 ? value : null;
  } catch {
    return null; // Not written as it should be: the caller says so.
  }
}

function seconds(text: string | undefined, fallback: number): number {
  const value = Number(text);
  return text !== undefined && text !== '' && Number.isFinite(value) && value > 0 ? value : fallback;
}
