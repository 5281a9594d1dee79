import { join } from 'node:path';
import { type Hello, PilothouseError, PROTOCOL, pilotStates, type Target } from '@pilothouse/sdk/internal';
import { Gateway } from '@pilothouse/serving';
import { type Calls, openCalls } from './calls.js';
import { type Clock, systemClock } from './clock.js';
import type { Config } from './config.js';
import type { Context } from './context.js';
import { runChecks } from './doctor/checks.js';
import { installedAgent } from './engines/local/agent-paths.js';
import { LocalEngine } from './engines/local/local-engine.js';
import { inspectMachine } from './engines/local/machine.js';
import { findPython } from './engines/local/warden.js';
import { EngineRegistry } from './engines/registry.js';
import { prepareDirectories } from './lifecycle/directories.js';
import { watchIdle } from './lifecycle/idle-exit.js';
import { type Lease, ownershipMoved, takeLease } from './lifecycle/lease.js';
import { careForMemory } from './lifecycle/memory-care.js';
import { AgentLink } from './link/agent-link.js';
import { JournalIntake } from './link/journal-intake.js';
import type { Logger } from './logger.js';
import { createManagers } from './managers/managers.js';
import { Names } from './managers/names.js';
import { settleRefusal } from './managers/refusals.js';
import { applyJournal } from './picture/apply-journal.js';
import { applyLog } from './picture/apply-log.js';
import { Keys } from './picture/keys.js';
import { Picture } from './picture/picture.js';
import { Retention } from './retention/retention.js';
import { createRouter } from './server/router.js';
import { BridgeServer } from './server/server.js';
import { SpoolWriter } from './spool/spool-writer.js';
import { Cache } from './store/cache.js';
import { CacheWriter } from './store/cache-writer.js';
import { EventLog } from './store/event-log.js';
import type { Position } from './store/position.js';
import { repairSpools } from './store/repair-spool.js';
import { loadCache, replayLogs } from './store/restore.js';

/** A running bridge. */
export interface Bridge {
  readonly epoch: number;
  /** Resolves when it has ended, whatever for. */
  readonly ended: Promise<void>;
  /** Ends it, nothing else: pilots go on. */
  close(): Promise<void>;
}

/**
 * Starts the bridge. The order keeps two bridges apart: the lock of this host, the lease over all hosts, then the
 * sockets, then answers.
 *
 * @throws CacheLocked or AlreadyRunning when another bridge serves already; PilothouseError for everything else
 */
export async function startBridge(config: Config, log: Logger): Promise<Bridge> {
  prepareDirectories(config);
  const cache = Cache.open(join(config.runtimeDir, 'cache.sqlite'));
  try {
    return await startLocked(config, log, cache);
  } catch (error) {
    cache.close();
    throw error;
  }
}

async function startLocked(config: Config, log: Logger, cache: Cache): Promise<Bridge> {
  const clock = systemClock;
  const lease = await takeLease(config, clock, log);
  try {
    return await startOwning(config, log, cache, clock, lease);
  } catch (error) {
    // Nobody is served: whoever tries next, here or elsewhere, need not wait for this lease to go stale.
    await lease.release();
    throw error;
  }
}

async function startOwning(config: Config, log: Logger, cache: Cache, clock: Clock, lease: Lease): Promise<Bridge> {
  const { epoch } = lease;
  const picture = new Picture();
  const keys = new Keys();
  const names = new Names(picture);
  const events = new EventLog(config.home, lease, clock, (record) => applyLog(picture, keys, record));
  const spool = new SpoolWriter(config.home, epoch, clock);
  const intake = new JournalIntake(config.home, (pilot, record) => {
    applyJournal(picture, pilot, record);
    if (record.type !== 'refused') return;
    settleRefusal({ spool, picture, log }, pilot, record).catch((error: unknown) =>
      log.error(`what ${pilot} refused could not be found`, error),
    );
  });
  const engines = new EngineRegistry([new LocalEngine(config, epoch, clock, log, installedAgent)]);

  const stored = { home: config.home, cache, picture, keys, events, intake, log };
  const cached = await loadCache(stored);
  // From here on every change goes into the cache too; how far it reaches is said once the logs have been read.
  let logs: ReadonlyMap<string, number> | null = null;
  const reach = (): Position | null => logs && position(config, context, logs);
  const cacheWriter = new CacheWriter(cache, picture, keys, reach, log);
  logs = await replayLogs(stored, cached, clock.iso());
  const repaired = await repairSpools(config.home, picture, spool);
  if (repaired > 0) log.info(`${repaired} submits were written to their spools again`);

  const link = new AgentLink(config.agentsSocket, epoch, log, {
    known: (pilot) => {
      const record = picture.get('pilot', pilot);
      return record !== undefined && !pilotStates.isFinal(record.state);
    },
    have: (pilot) => intake.have(pilot),
    frame: (pilot, frame) => {
      if (frame.type === 'beat' && frame.beat.loads !== undefined) calls.directory.heard(pilot, frame.beat.loads);
      managers.pilots.frame(pilot, frame);
    },
    contact: (pilot, lost) => managers.contacts.change(pilot, lost),
  });
  const context: Context = {
    config,
    clock,
    log,
    epoch,
    picture,
    keys,
    names,
    events,
    spool,
    link,
    intake,
    engines,
  };
  const managers = createManagers(context);
  const retention = new Retention(context);
  const calls = await openCalls(context);
  const startedAt = clock.iso();

  const router = createRouter(context, managers, calls, {
    picture,
    epoch,
    hello: (): Hello => ({
      protocol: PROTOCOL,
      version: config.version,
      epoch,
      host: config.host,
      user: config.user,
      home: config.home,
      startedAt,
    }),
    doctor: () =>
      runChecks({
        config,
        findPython: () => findPython(config.env),
        machine: () => inspectMachine(config.env),
        templates: () => managers.templates.report(),
      }),
    stop: () => setTimeout(() => end('asked to stop'), 50),
    forget: (target) => forget(context, calls, target),
    clean: (dryRun) => retention.clean(dryRun),
  });
  const gateway = new Gateway({ directory: calls.directory, log: (text, error) => log.error(text, error) });
  const server = new BridgeServer(router, gateway, config.socket, log);

  await link.open();
  await managers.pilots.adopt();
  await managers.mover.adopt();
  await managers.remotes.adopt();
  managers.registry.start();
  await server.listen();
  retention.start();
  log.info(`epoch ${epoch} serves ${config.home} at ${config.socket}`);

  const ended = Promise.withResolvers<void>();
  let ending: Promise<void> | undefined;
  const end = (why: string): Promise<void> => {
    ending ??= close(why).then(ended.resolve, ended.reject);
    return ending;
  };
  const close = async (why: string): Promise<void> => {
    log.info(`epoch ${epoch} ends: ${why}`);
    stopIdle();
    await retention.close();
    stopCare();
    await managers.close();
    await server.close();
    await gateway.close();
    await calls.close();
    await managers.mover.settled();
    await link.close();
    await cacheWriter.close();
    await spool.closeAll();
    await events.close();
    await lease.release();
    cache.close();
  };
  const needed = (): boolean =>
    server.clients > 0 ||
    picture.count('answer') > 0 ||
    [...picture.list('pilot')].some(({ state }) => !pilotStates.isFinal(state));
  const stopCare = careForMemory();
  const stopIdle = watchIdle(needed, config.idleExit, () => void end('nobody needs it'));
  lease.onLost((owner) => {
    server.refuse(ownershipMoved(owner));
    // Long enough for calls under way to hear it, short enough that nobody works with two pictures.
    setTimeout(() => end(`taken over by ${owner.host}`), 1000);
  });
  return { epoch, ended: ended.promise, close: () => end('told to end') };
}

async function forget({ picture, events }: Context, { answers }: Calls, { kind, id }: Target): Promise<void> {
  const record = picture.get(kind, id);
  if (record === undefined) return;
  if (kind === 'answer') return answers.forget(id);
  if (record.endedAt === null) {
    throw new PilothouseError('INVALID_DESCRIPTION', `${kind} "${record.name}" has not ended`, {
      hint: 'End it first; only what has ended can be taken off the lists.',
      field: 'id',
      ids: { [kind]: id },
    });
  }
  await events.append([{ type: 'forgotten', kind, id }]);
}

function position(config: Config, { picture, events, intake }: Context, logs: ReadonlyMap<string, number>): Position {
  const journals = [...picture.list('pilot')].filter(({ state }) => !pilotStates.isFinal(state));
  return {
    home: config.home,
    logSeq: events.seq,
    logs: { ...Object.fromEntries(logs), [events.position.name]: events.position.offset },
    journals: Object.fromEntries(journals.map(({ id }) => [id, intake.position(id)])),
  };
}
