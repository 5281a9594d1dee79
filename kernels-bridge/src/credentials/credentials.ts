import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, stat, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { type CredentialReport, nameSchema, PilothouseError } from '@pilothouse/sdk/internal';
import { isMissing } from '../missing.js';

/**
 * Secrets of the user, one file each: `credentials/<name>`, readable by the user alone. A secret leaves this store only
 * as the key of a request to the service it belongs to; no call hands it out.
 *
 * The file's times say when it was stored (modification) and last used (access, set here: mounts may not keep it).
 */
export class Credentials {
  readonly #folder: string;
  readonly #listeners: (() => void)[] = [];

  constructor(home: string) {
    this.#folder = join(home, 'credentials');
  }

  /** Calls back whenever a secret was stored, replaced or removed. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async list(): Promise<CredentialReport[]> {
    const names = (await this.#names()).sort();
    return await Promise.all(names.map((name) => this.#report(name)));
  }

  /** Stores or replaces a secret. The file is complete or not there at all. */
  async put(name: string, secret: string): Promise<CredentialReport> {
    const path = this.#path(name);
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const whole = join(this.#folder, `.${name}.${randomUUID()}`);
    const file = await open(whole, 'wx', 0o600);
    try {
      await file.writeFile(secret.trim());
      await file.datasync();
      // Not used yet: an access time of zero.
      const { mtime } = await file.stat();
      await file.utimes(new Date(0), mtime);
    } finally {
      await file.close();
    }
    await rename(whole, path);
    this.#changed();
    return await this.#report(name);
  }

  /** @throws PilothouseError CREDENTIAL_NOT_FOUND */
  async remove(name: string): Promise<void> {
    try {
      await unlink(this.#path(name));
    } catch (error) {
      throw this.#missing(name, error);
    }
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  /**
   * The secret, for the request that needs it.
   *
   * @throws PilothouseError CREDENTIAL_NOT_FOUND
   */
  async use(name: string): Promise<string> {
    const path = this.#path(name);
    try {
      const secret = await readFile(path, 'utf8');
      const { mtime } = await stat(path);
      await utimes(path, new Date(), mtime);
      return secret.trim();
    } catch (error) {
      throw this.#missing(name, error);
    }
  }

  /** Every secret there is, to tell whether a text holds one. What cannot be read is left out. */
  async all(): Promise<string[]> {
    const read = async (name: string): Promise<string[]> => {
      try {
        return [(await readFile(this.#path(name), 'utf8')).trim()];
      } catch (error) {
        if (isMissing(error)) return []; // Removed meanwhile.
        throw error;
      }
    };
    return (await Promise.all((await this.#names()).map(read))).flat();
  }

  /** Absolute path of the file that holds a secret. */
  file(name: string): string {
    return this.#path(name);
  }

  async #names(): Promise<string[]> {
    try {
      return (await readdir(this.#folder)).filter((name) => nameSchema.safeParse(name).success);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  async #report(name: string): Promise<CredentialReport> {
    const { atime, mtime } = await stat(this.#path(name));
    return {
      name,
      createdAt: mtime.toISOString(),
      lastUsedAt: atime.getTime() === 0 ? null : atime.toISOString(),
    };
  }

  /** Names are checked here too: one with a slash would leave the folder. */
  #path(name: string): string {
    if (nameSchema.safeParse(name).success) return join(this.#folder, name);
    throw new PilothouseError('INVALID_DESCRIPTION', `"${name}" is not the name of a credential`, {
      hint: 'Use letters, digits, dots, dashes and underscores.',
      field: 'name',
    });
  }

  #missing(name: string, cause: unknown): unknown {
    if (!isMissing(cause)) return cause;
    return new PilothouseError('CREDENTIAL_NOT_FOUND', `there is no credential "${name}"`, {
      hint: `Store it with: pilothouse credentials add ${name}`,
      cause,
    });
  }
}
