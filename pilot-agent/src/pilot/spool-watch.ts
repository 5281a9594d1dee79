import { watch } from 'node:fs';
import { log } from '../log.js';
import type { Spool } from '../spool/spool.js';

/** How often the spool is looked at beside the link's nudges. */
const SPOOL_SECONDS = 5;
/** What the file system tells is read this much later: mostly the link has brought it by then. */
const LINK_FIRST_MS = 20;

/**
 * Reads the spool as it grows, without a bridge that nudges: the file system does, and where it cannot, because another
 * node writes, time does.
 *
 * @returns stops it
 */
export function watchSpool(folder: string, spool: Spool): () => void {
  const read = (): void => {
    spool.read().catch((error: unknown) => log('the spool cannot be read; trying again', error));
  };
  let soon: NodeJS.Timeout | undefined;
  const watcher = watch(folder, () => {
    soon ??= setTimeout(() => {
      soon = undefined;
      read();
    }, LINK_FIRST_MS);
  });
  watcher.on('error', (error) => log('the spool is not watched; it is looked at from time to time', error));
  watcher.unref();
  const timer = setInterval(read, SPOOL_SECONDS * 1000);
  return () => {
    clearInterval(timer);
    clearTimeout(soon);
    watcher.close();
  };
}
