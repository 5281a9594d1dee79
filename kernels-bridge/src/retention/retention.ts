import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { formatBytes } from '@pilothouse/sdk/internal';
import type { Context } from '../context.js';
import { whereMissing } from '../missing.js';
import { GONE, Stocktaking } from './inventory.js';
import { OldLogs } from './log-files.js';
import { add, measure, NOTHING } from './measure.js';
import { type Amount, type Dropped, planRemovals, type Removal } from './plan.js';

const HOUR_MS = 3600 * 1000;
/** After the start of a bridge there is better to do; and many live for minutes only. */
const FIRST_MS = 20 * 1000;
/** Ids in one record of the log. */
const IDS_AT_ONCE = 5000;

/** What was removed, or would be. */
export interface CleanReport {
  readonly removed: readonly { path: string; why: string; files: number; bytes: number }[];
  readonly kept: Amount;
}

/**
 * Keeps what is over within the limits of age, size and number of files: shortly after the start of the bridge, then every
 * hour, and when somebody asks. What is live is never touched.
 */
export class Retention {
  readonly #stock: Stocktaking;
  readonly #logs: OldLogs;
  #timer: NodeJS.Timeout | undefined;
  #cleaning: Promise<unknown> = Promise.resolve();

  constructor(private readonly context: Context) {
    const { config, epoch, picture } = context;
    this.#stock = new Stocktaking(config.home, picture);
    this.#logs = new OldLogs(config.home, epoch, picture);
  }

  /** Cleans by itself from now on, until {@link close}. */
  start(): void {
    this.#plan(FIRST_MS);
  }

  /** Resolves when a cleaning that is under way has ended. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#cleaning;
  }

  /** @param dryRun - only say what would go */
  clean(dryRun: boolean): Promise<CleanReport> {
    // One after the other: two would remove the same.
    const cleaning = this.#cleaning.then(() => this.#clean(dryRun));
    this.#cleaning = cleaning.catch(() => undefined);
    return cleaning;
  }

  #plan(milliseconds: number): void {
    this.#timer = setTimeout(() => {
      this.clean(false)
        .then(({ removed }) => {
          if (removed.length > 0) this.context.log.info(`${removed.length} old things were removed`);
        })
        .catch((error: unknown) => this.context.log.error('old things could not be removed', error))
        .finally(() => {
          if (this.#timer !== undefined) this.#plan(HOUR_MS);
        });
    }, milliseconds).unref();
  }

  async #clean(dryRun: boolean): Promise<CleanReport> {
    const { config, clock } = this.context;
    const { units, fixed } = await this.#stock.take();
    const { removals, kept } = planRemovals(units, fixed, config.keep, clock.now());
    const done: Removal[] = dryRun ? removals : [];
    if (!dryRun) {
      for (const removal of removals) if (await this.#remove(removal)) done.push(removal);
      await this.#sweep();
    }
    const leaving = new Set(removals.flatMap(({ unit: { drops } }) => (drops === undefined ? [] : idsOf(drops))));
    const logs = await this.#oldLogs(leaving, dryRun);
    const gone = logs.reduce(add, NOTHING);
    const removed = done.map(({ unit, why }) => ({
      path: unit.paths.map((path) => join(config.home, path)).join(', ') || config.home,
      why: `${unit.what}: ${this.#inWords(why, unit.endedAt)}`,
      files: unit.files,
      bytes: unit.bytes,
    }));
    return {
      removed: [
        ...removed,
        ...logs.map(({ path, ...amount }) => ({ path, why: 'a log of what has all been removed', ...amount })),
      ],
      kept: { files: kept.files - gone.files, bytes: kept.bytes - gone.bytes },
    };
  }

  /** @returns false when it was needed again meanwhile */
  async #remove({ unit }: Removal): Promise<boolean> {
    const { config, events, log } = this.context;
    try {
      if (unit.drops !== undefined) {
        if (!this.#isOver(unit.drops)) return false;
        // Written down first: a picture made again from the logs must not wait for what no journal tells any more.
        for (const piece of pieces(unit.drops)) await events.append([{ type: 'dropped', ...piece }]);
      }
      for (const path of unit.paths) await this.#discard(join(config.home, path));
      for (const id of unit.drops?.pilots ?? []) {
        await rm(join(config.runtimeDir, 'p', id), { recursive: true, force: true });
      }
      return true;
    } catch (error) {
      // The rest can still be cleaned; this one is tried again within the hour.
      log.error(`${unit.paths.join(', ')} could not be removed`, error);
      return false;
    } finally {
      this.#stock.forget(unit);
    }
  }

  /** Planning took its time; an ended pilot stays ended, but a set may have been opened again by a retry on it. */
  #isOver({ pilots, sets, tasks }: Dropped): boolean {
    const { picture } = this.context;
    const isFinal = (id: string): boolean => {
      const slot = picture.tasks.find(id);
      return slot === undefined || picture.tasks.isFinal(slot);
    };
    return (
      pilots.every((id) => picture.get('pilot', id)?.endedAt !== null) &&
      sets.every((id) => picture.tasks.set(id)?.endedAt !== null) &&
      tasks.every(isFinal)
    );
  }

  /** Under another name first, so that a removal that is interrupted leaves nothing that looks whole. */
  async #discard(path: string): Promise<void> {
    const gone = join(dirname(path), `${GONE}${basename(path)}`);
    const found = await rename(path, gone).then(() => true, whereMissing(false));
    if (found) await rm(gone, { recursive: true, force: true });
  }

  /** Ends removals that an earlier bridge has begun. */
  async #sweep(): Promise<void> {
    const folder = join(this.context.config.home, 'pilots');
    for (const name of await readdir(folder).catch(whereMissing<string[]>([]))) {
      if (name.startsWith(GONE)) await rm(join(folder, name), { recursive: true, force: true });
    }
  }

  async #oldLogs(leaving: ReadonlySet<string>, dryRun: boolean): Promise<({ path: string } & Amount)[]> {
    const { config, log } = this.context;
    try {
      const found: ({ path: string } & Amount)[] = [];
      for (const path of await this.#logs.unneeded(leaving)) {
        const full = join(config.home, path);
        found.push({ path: full, ...(await measure(full)) });
        if (!dryRun) await rm(full, { force: true });
      }
      return found;
    } catch (error) {
      log.error('old logs could not be removed', error);
      return [];
    }
  }

  #inWords(why: string, endedAt: number): string {
    const { age, bytes, files } = this.context.config.keep;
    const days = (seconds: number): string => `${Math.round((seconds / (24 * 3600)) * 10) / 10} days`;
    const ago = days((this.context.clock.now() - endedAt) / 1000);
    if (why === 'age') return `over for ${ago}; ${days(age)} are kept`;
    const limit = why === 'size' ? formatBytes(bytes) : `${files} files`;
    return `the oldest of more than ${limit}; over for ${ago}`;
  }
}

function idsOf({ pilots, sets, tasks, services, batches }: Dropped): string[] {
  return [...pilots, ...sets, ...tasks, ...services, ...batches];
}

/** A record has to fit into a line that can be read again. */
function* pieces(dropped: Dropped): Generator<Dropped> {
  const { pilots, sets, tasks, services, batches } = dropped;
  yield { pilots, sets, tasks: tasks.slice(0, IDS_AT_ONCE), services, batches };
  for (let from = IDS_AT_ONCE; from < tasks.length; from += IDS_AT_ONCE) {
    yield { pilots: [], sets: [], services: [], batches: [], tasks: tasks.slice(from, from + IDS_AT_ONCE) };
  }
}
