import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Milliseconds between two looks. */
const LOOK_MS = 10_000;
/** Bytes of heap that are held and not used, beyond which giving them back is worth a collection. */
const SPARE = 48 * 1024 * 1024;

type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

/**
 * Gives memory back once a rush is over. The engine keeps what it has taken for the next one, for as long as nothing
 * happens: two hundred megabytes after a hundred thousand tasks, on a node that others share.
 *
 * @returns the way to stop
 */
export function careForMemory(): () => void {
  setFlagsFromString('--expose-gc');
  const collect: Collect = runInNewContext('gc');
  let busy = process.cpuUsage();
  let spared = 0;
  const timer = setInterval(() => {
    const { user, system } = process.cpuUsage(busy);
    busy = process.cpuUsage();
    const { heapTotal, heapUsed } = process.memoryUsage();
    // Only in a quiet moment: a collection stops everything for some tens of milliseconds.
    const quiet = user + system < LOOK_MS * QUIET_SHARE * 1000;
    // What the last one could not give back is in use after all.
    if (!quiet || heapTotal < spared + SPARE || (heapTotal - heapUsed < SPARE && heapTotal < 2 * spared)) return;
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    spared = process.memoryUsage().heapTotal;
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** Share of a core that a quiet process uses at most. */
const QUIET_SHARE = 0.1;
