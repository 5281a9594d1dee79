import { statSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

/** How often files are looked at while calls follow each other, and after a rest, in milliseconds. */
const EVERY_MS = 100;
const SETTLED_MS = 5;

const stamps = new Map<string, string>();
let looked = 0;

/** Takes note of every module of the user's own that is loaded from now on; installed packages are left out. */
export function watchSources(own: string): void {
  registerHooks({
    load(url, context, next) {
      if (url.startsWith('file:') && !url.startsWith(own)) {
        const file = fileURLToPath(url);
        if (!file.includes('/node_modules/')) stamps.set(file, stampOf(file));
      }
      return next(url, context);
    },
  });
}

/** Whether one of them is another file now. A module that was imported cannot be taken back. */
export function sourcesChanged(rested: boolean): boolean {
  const now = performance.now();
  if (now - looked < (rested ? SETTLED_MS : EVERY_MS)) return false;
  looked = now;
  for (const [file, stamp] of stamps) if (stampOf(file) !== stamp) return true;
  return false;
}

function stampOf(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined ? '' : `${found.mtimeMs} ${found.size} ${found.ino}`;
}
