import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A partial file of before a crash of the system may have holes where its data never reached the disk. */
const boot = (() => {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return String(process.pid); // No /proc: parts are then of use to this agent alone.
  }
})();

/**
 * Where something lies beside its target until it is complete. The same things give the same name, so that an agent that
 * takes over finds what its predecessor has left; others never meet there.
 */
export function partBeside(target: string, ...identity: readonly (string | number | bigint)[]): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([boot, target, ...identity.map(String)]))
    .digest('hex');
  // Its own short name, since a target's may be as long as a name can be.
  return join(dirname(target), `.pilothouse-${hash.slice(0, 20)}.part`);
}
