import { startBridge } from './bridge.js';
import { resolveConfig } from './config.js';
import { AlreadyRunning } from './lifecycle/lease.js';
import { describeError, stderrLogger } from './logger.js';
import { CacheLocked } from './store/cache.js';

/** The bridge as a process. Being started many times at once is normal: one of them serves, the others end well. */
async function main(): Promise<void> {
  // Its own files are for this user alone; tasks get what the user had.
  const umask = process.umask(0o077);
  // A forgotten rejection must not end what others rely on; it is a mistake to be found in the log.
  process.on('unhandledRejection', (error) => stderrLogger.error('something failed that nobody waited for', error));
  const bridge = await startBridge(resolveConfig(process.env, umask), stderrLogger);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      bridge.close().catch((error: unknown) => stderrLogger.error('the end was not clean', error));
    });
  }
  await bridge.ended;
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    if (error instanceof CacheLocked || error instanceof AlreadyRunning) {
      stderrLogger.info(`${error.message}; nothing to do`);
      process.exit(0);
    }
    process.stderr.write(`${new Date().toISOString()} error Pilothouse cannot start: ${describeError(error)}\n`);
    process.exit(1);
  },
);
