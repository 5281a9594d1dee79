import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const KEY_BYTES = 32;
const TASK = 'task';

/** What a key opens: everything, or the services that a task has named. */
export type Opened = 'everything' | ReadonlySet<string>;

/**
 * The key of a pilot's gateway, and tokens made of it. A task's token says which services it opens and is signed with the
 * key: nothing about it needs to be remembered, and it works on after the agent has been started again.
 */
export class GatewayKey {
  readonly #key: string;

  constructor(
    key: string,
    readonly file: string,
  ) {
    this.#key = key;
  }

  /** The key of this pilot: made once, in a file for this user alone. */
  static async of(folder: string): Promise<GatewayKey> {
    const file = join(folder, 'gateway.key');
    const made = `${file}.new`;
    await writeFile(made, `${randomBytes(KEY_BYTES).toString('base64url')}\n`, { mode: 0o600 });
    try {
      // The file is there as a whole or not at all, and the first one stays.
      await link(made, file);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    } finally {
      await rm(made, { force: true });
    }
    return new GatewayKey((await readFile(file, 'utf8')).trim(), file);
  }

  /** A token for a task, which opens these services (ids) alone. */
  tokenFor(task: string, services: readonly string[]): string {
    const claim = Buffer.from(JSON.stringify([task, ...services])).toString('base64url');
    return `${TASK}.${claim}.${this.#sign(claim)}`;
  }

  /** What the header `Authorization` of a request opens; undefined: nothing. */
  open(authorization: string | undefined): Opened | undefined {
    const given = /^bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1];
    if (given === undefined) return undefined;
    if (same(given, this.#key)) return 'everything';
    const [kind, claim = '', signature = '', more] = given.split('.');
    if (kind !== TASK || more !== undefined || !same(signature, this.#sign(claim))) return undefined;
    const named: unknown = JSON.parse(Buffer.from(claim, 'base64url').toString('utf8'));
    if (!Array.isArray(named)) return undefined;
    return new Set(named.slice(1).filter((one) => typeof one === 'string'));
  }

  #sign(claim: string): string {
    return createHmac('sha256', this.#key).update(claim).digest('base64url');
  }
}

function same(given: string, right: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
