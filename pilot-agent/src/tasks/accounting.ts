import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { log } from '../log.js';

/** One line of `accounting.jsonl`: what something that has ended held and used. */
export interface Account {
  readonly id: string;
  readonly name: string;
  /** Set of a task. */
  readonly set: string | null;
  readonly kind: 'task' | 'instance';
  readonly state: string;
  readonly attempt: number;
  /** When its end was written down. */
  readonly t: string;
  readonly cores: number;
  readonly gpus: number;
  /** seconds; null: not known */
  readonly wall: number | null;
  readonly cpu: number | null;
  /** bytes; null: not known */
  readonly maxRss: number | null;
  /** What it held: cores and GPUs times seconds. */
  readonly coreSeconds: number;
  readonly gpuSeconds: number;
}

/** What an account is of. */
export type Accounted = Pick<Account, 'id' | 'name' | 'set' | 'kind' | 'state' | 'attempt' | 'cores' | 'gpus'>;

/** An account: what was held follows from what was granted and how long it ran. */
export function makeAccount(
  of: Accounted,
  usage: { readonly wall: number; readonly cpu: number; readonly maxRss: number } | null,
  t: string,
): Account {
  const { cores, gpus } = of;
  const { wall = null, cpu = null, maxRss = null } = usage ?? {};
  const held = (amount: number): number => Math.round((wall ?? 0) * amount * 1000) / 1000;
  return { ...of, t, wall, cpu, maxRss, coreSeconds: held(cores), gpuSeconds: held(gpus) };
}

const TOGETHER_MS = 1000;

/**
 * The accounts of a pilot, one line per task and instance that has ended, for people who have to justify core hours.
 * They follow from the journal: what a killed agent had not written is added by the next.
 */
export class Accounting {
  readonly #file: string;
  readonly #written: Set<string>;
  #pending: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: string, written: Set<string>) {
    this.#file = file;
    this.#written = written;
  }

  /** @param again - whether an earlier agent may have written some */
  static async open(folder: string, again: boolean): Promise<Accounting> {
    const file = join(folder, 'accounting.jsonl');
    const written = new Set<string>();
    const text = again ? await readFile(file, 'utf8').catch(() => '') : '';
    for (const line of text.split('\n')) {
      const id = /^\{"id":"([^"]+)"/.exec(line)?.[1];
      if (id !== undefined && line.endsWith('}')) written.add(id);
    }
    const accounting = new Accounting(file, written);
    // The torn last line of one that was killed ends here, and does not take the next one with it.
    if (text !== '' && !text.endsWith('\n')) accounting.#pending.push('');
    return accounting;
  }

  add(account: Account): void {
    // Only what an earlier agent wrote can come twice.
    if (this.#written.has(account.id)) return;
    this.#pending.push(JSON.stringify(account));
    this.#timer ??= setTimeout(() => void this.flush(), TOGETHER_MS);
  }

  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#pending;
    this.#pending = [];
    if (lines.length === 0) return this.#writing;
    this.#writing = this.#writing
      .then(() => appendFile(this.#file, `${lines.join('\n')}\n`, { mode: 0o600 }))
      .catch((error: unknown) => log('accounts cannot be written; they can be made again from the journal', error));
    return this.#writing;
  }
}
