import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Milliseconds between two looks. */
const LOOK_MS = 10_000;
/** Share of a core that a quiet process uses at most. */
const QUIET_SHARE = 0.1;
/** Bytes that the heap has grown by, beyond which looking what of it can be given back is worth a collection. */
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
  // What the last collection left is in use.
  let floor = process.memoryUsage().heapTotal;
  const timer = setInterval(() => {
    const { user, system } = process.cpuUsage(busy);
    busy = process.cpuUsage();
    const { heapTotal } = process.memoryUsage();
    floor = Math.min(floor, heapTotal);
    // Only in a quiet moment: a collection stops everything for some tens of milliseconds.
    if (user + system > LOOK_MS * QUIET_SHARE * 1000 || heapTotal < floor + SPARE) return;
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    floor = process.memoryUsage().heapTotal;
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}
