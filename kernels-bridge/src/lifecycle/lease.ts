import { type FSWatcher, watch } from 'node:fs';
import { link, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { LEASE_STALE_SECONDS, type LeaseFile, leaseFileSchema, PilothouseError } from '@pilothouse/sdk/internal';
import type { Clock } from '../clock.js';
import type { Config } from '../config.js';
import type { Logger } from '../logger.js';
import { isMissing, whereMissing } from '../missing.js';

/** Milliseconds for which a look at the lease is good enough to acknowledge something. */
const LOOK_AGAIN_MS = 5000;

/** The lease of this bridge: its epoch, and word when another bridge has taken over. */
export interface Lease {
  readonly epoch: number;
  /** Called once, when a higher epoch has been seen; at once where it has been already. */
  onLost(listener: (owner: LeaseFile) => void): void;
  /** Looks now; true when the lease is still ours. */
  verify(): Promise<boolean>;
  /**
   * Called before anything is acknowledged: a bridge that slept, for instance, must not take what its successor will
   * never read.
   *
   * @throws PilothouseError OWNERSHIP_MOVED
   */
  assertHeld(): Promise<void>;
  /** Says that this bridge has ended, so that another may start anywhere. */
  release(): Promise<void>;
}

/** Somebody who answers holds the lease already; nothing is wrong. */
export class AlreadyRunning extends Error {
  constructor(readonly owner: LeaseFile) {
    super(`a bridge already answers at ${owner.socket}`);
  }
}

/** The refusal of a bridge that has been overtaken. */
export function ownershipMoved(taker: LeaseFile | undefined): PilothouseError {
  const host = taker?.host ?? 'another host';
  return new PilothouseError('OWNERSHIP_MOVED', `Pilothouse has been taken over on ${host}`, {
    hint: `Work on ${host}, or take it back here with PILOTHOUSE_TAKE_OVER=1.`,
    ...(taker === undefined ? {} : { evidence: `taken on ${host}, ${taker.startedAt} (${taker.epoch})` }),
  });
}

/** Reads the lease that counts: the one with the highest number. */
export async function readLease(home: string): Promise<LeaseFile | null> {
  const folder = join(home, 'lease');
  const epochs = await listEpochs(folder);
  for (const epoch of epochs.reverse()) {
    const file = join(folder, String(epoch));
    try {
      return leaseFileSchema.parse(JSON.parse(await readFile(file, 'utf8')));
    } catch (error) {
      // A lease is linked complete, so what cannot be read was damaged later; its number still counts.
      if (isMissing(error)) continue;
      throw new PilothouseError('LOG_DAMAGED', `${file} cannot be read`, {
        hint: `Look for a damaged disk; where Pilothouse runs nowhere, remove ${file}.`,
        cause: error,
      });
    }
  }
  return null;
}

/** Takes the lease with the next epoch, or says who holds it. */
export async function takeLease(config: Config, clock: Clock, log: Logger): Promise<Lease> {
  const folder = join(config.home, 'lease');
  const startedAt = clock.iso();
  for (;;) {
    const current = await readLease(config.home);
    if (current !== null) await refuseUnlessFree(current, config, clock);
    const epoch = ((await listEpochs(folder)).at(-1) ?? 0) + 1;
    const lease: LeaseFile = {
      v: 1,
      epoch,
      host: config.host,
      socket: config.socket,
      pid: process.pid,
      version: config.version,
      startedAt,
      heartbeat: clock.iso(),
      released: false,
    };
    const temporary = join(folder, `.${config.host}-${process.pid}-${epoch}`);
    await writeDurably(temporary, lease);
    try {
      await link(temporary, join(folder, String(epoch)));
    } catch (error) {
      if (!isExisting(error)) throw error;
      // Another taker was faster: look again who that is.
      continue;
    } finally {
      await rm(temporary, { force: true });
    }
    return holdLease(folder, lease, config, clock, log);
  }
}

async function refuseUnlessFree(current: LeaseFile, config: Config, clock: Clock): Promise<void> {
  if (current.released) return;
  if (current.host === config.host) {
    // The same host can be asked: a socket that nobody answers belongs to a dead bridge.
    if (current.socket !== config.socket && (await answers(current.socket))) throw new AlreadyRunning(current);
    return;
  }
  const age = (clock.now() - Date.parse(current.heartbeat)) / 1000;
  if (config.takeOver || age > LEASE_STALE_SECONDS) return;
  throw new PilothouseError(
    'OWNED_ELSEWHERE',
    `Pilothouse runs for you on ${current.host} (seen ${Math.round(age)} s ago)`,
    {
      hint: `Work there, end it there with "pilothouse bridge stop", or take over here with PILOTHOUSE_TAKE_OVER=1.`,
      evidence: `on ${current.host}, last heard of ${current.heartbeat} (${current.epoch})`,
    },
  );
}

function holdLease(folder: string, lease: LeaseFile, config: Config, clock: Clock, log: Logger): Lease {
  const file = join(folder, String(lease.epoch));
  const listeners = new Set<(owner: LeaseFile) => void>();
  let state: 'held' | 'lost' | 'released' = 'held';
  let taker: LeaseFile | undefined;
  let watcher: FSWatcher | undefined;

  let looked = clock.monotonic();

  const verify = async (): Promise<boolean> => {
    if (state !== 'held') return false;
    looked = clock.monotonic();
    const highest = (await listEpochs(folder)).at(-1) ?? 0;
    if (highest <= lease.epoch) return true;
    const owner = await readLease(config.home);
    if (state !== 'held' || owner === null) return state === 'held';
    state = 'lost';
    taker = owner;
    stopWatching();
    for (const listener of listeners) listener(owner);
    return false;
  };
  const beat = async (): Promise<void> => {
    if (!(await verify())) return;
    lease.heartbeat = clock.iso();
    await replaceDurably(file, lease);
    await removeOlder(folder, lease.epoch);
  };
  const guarded = (step: () => Promise<unknown>): void => {
    step().catch((error: unknown) => log.error('the lease could not be kept', error));
  };
  const timer = setInterval(() => guarded(beat), config.heartbeat * 1000);
  timer.unref();
  // A taker on this host is seen at once; one on another host at the next heartbeat.
  try {
    watcher = watch(folder, { persistent: false }, () => guarded(verify));
    watcher.on('error', (error) => log.warn(`the lease folder is not watched: ${error.message}`));
  } catch (error) {
    log.warn(`the lease folder cannot be watched: ${String(error)}`);
  }
  const stopWatching = (): void => {
    clearInterval(timer);
    watcher?.close();
  };

  return {
    epoch: lease.epoch,
    onLost: (listener) => {
      listeners.add(listener);
      if (taker !== undefined) listener(taker);
    },
    verify,
    assertHeld: async () => {
      const recent = clock.monotonic() - looked < LOOK_AGAIN_MS;
      if (state === 'held' && (recent || (await verify()))) return;
      throw ownershipMoved(taker);
    },
    release: async () => {
      const held = await verify();
      stopWatching();
      if (!held) return;
      state = 'released';
      await replaceDurably(file, { ...lease, heartbeat: clock.iso(), released: true });
    },
  };
}

async function listEpochs(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch(whereMissing([]));
  return names
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

async function removeOlder(folder: string, epoch: number): Promise<void> {
  for (const older of await listEpochs(folder)) {
    if (older < epoch - 1) await rm(join(folder, String(older)), { force: true });
  }
}

async function writeDurably(file: string, lease: LeaseFile): Promise<void> {
  const handle = await open(file, 'w', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(lease)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function replaceDurably(file: string, lease: LeaseFile): Promise<void> {
  const temporary = join(file, '..', `.${lease.epoch}-${process.pid}`);
  await writeDurably(temporary, lease);
  await rename(temporary, file);
}

/** Whether somebody accepts connections at a unix socket. */
export function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.setTimeout(1000, () => settle(false));
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
    function settle(answer: boolean): void {
      socket.destroy();
      resolve(answer);
    }
  });
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}
