import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { whereMissing } from '../missing.js';
import type { Picture } from '../picture/picture.js';
import { sinceOf } from '../picture/tasks/task-record.js';
import { type Family, findFamilies } from './families.js';
import { add, measure, NOTHING, subtract } from './measure.js';
import type { Amount, Dropped, Unit } from './plan.js';

/** Milliseconds that a value lies there at least: it is written before the call that names it is submitted. */
const NAMED_SOON_MS = 3600 * 1000;
const PIECE = 2000;

/** What a folder's name begins with from the moment that it is given up. */
export const GONE = '.gone-';

/** Things that go first among those that ended together: what is largest and least needed to tell what was. */
const RANK = { sandbox: 0, output: 1, values: 2, everything: 3, shared: 1 } as const;

/** What lies in the state root. */
export interface Inventory {
  readonly units: readonly Unit[];
  /** What is live, and what is always needed. */
  readonly fixed: Amount;
}

/** Looks what lies in the state root, and what of it belongs to things that are over. */
export class Stocktaking {
  /** Folders of pilots that are over change no more but by removals. */
  readonly #measured = new Map<string, Amount>();

  constructor(
    private readonly home: string,
    private readonly picture: Picture,
  ) {}

  async take(): Promise<Inventory> {
    const families = await findFamilies(this.picture);
    const units: Unit[] = [];
    for (const family of families)
      if (family.endedAt !== null) units.push(...(await this.#unitsOf(family, family.endedAt)));
    const over = new Set(families.flatMap(({ endedAt, pilots }) => (endedAt === null ? [] : pilots)));
    let fixed = NOTHING;
    for (const id of await readdir(join(this.home, 'pilots')).catch(whereMissing<string[]>([]))) {
      if (over.has(id) || id.startsWith(GONE)) continue;
      if (!this.picture.has('pilot', id)) {
        units.push(await this.#stranger(id));
        continue;
      }
      const sandboxes = await this.#sandboxes(id, null);
      units.push(...sandboxes);
      fixed = add(fixed, subtract(await measure(join(this.home, 'pilots', id)), sum(sandboxes)));
    }
    const shared = await this.#sharedValues();
    units.push(...shared);
    const others = (await readdir(this.home)).filter((name) => name !== 'pilots' && name !== 'values');
    for (const name of others) fixed = add(fixed, await measure(join(this.home, name)));
    return { units, fixed };
  }

  /** What was measured of these is no longer true. */
  forget({ paths }: Unit): void {
    for (const path of this.#measured.keys()) {
      if (paths.some((gone) => path === gone || gone.startsWith(`${path}/`) || path.startsWith(`${gone}/`))) {
        this.#measured.delete(path);
      }
    }
  }

  async #unitsOf(family: Family, endedAt: number): Promise<Unit[]> {
    const parts: Unit[] = [];
    let whole = NOTHING;
    for (const id of family.pilots) {
      const name = this.picture.get('pilot', id)?.name ?? id;
      const folder = `pilots/${id}`;
      whole = add(whole, await this.#measure(folder));
      parts.push(...(await this.#sandboxes(id, endedAt)));
      const output = { what: `logs on pilot "${name}"`, paths: [`${folder}/output`], held: false, rank: RANK.output };
      parts.push({ ...output, endedAt, ...(await this.#measure(`${folder}/output`)) });
      const values = {
        what: `results of functions on pilot "${name}"`,
        paths: [`${folder}/values`],
        rank: RANK.values,
      };
      parts.push({ ...values, endedAt, held: family.resumable, ...(await this.#measure(`${folder}/values`)) });
    }
    const { pilots, sets, tasks, services, batches, resumable: held } = family;
    const drops: Dropped = { pilots, sets, tasks, services, batches };
    const paths = pilots.map((id) => `pilots/${id}`);
    const rest = subtract(whole, sum(parts));
    const everything = { what: describe(family), paths, endedAt, rank: RANK.everything, held, drops, ...rest };
    return [...parts.filter(({ files }) => files > 0), everything];
  }

  /**
   * The folder of a pilot that is on no list: what an interrupted removal left, or one whose log was taken away while it may
   * still run. Nothing tells which, so it goes only when nothing in it has changed for as long as things are kept.
   */
  async #stranger(id: string): Promise<Unit> {
    const path = `pilots/${id}`;
    const changed = await Promise.all(
      ['', 'spool', 'journal', 'output'].map(async (name) => {
        const folder = join(this.home, path, name);
        const inside = (await readdir(folder).catch(whereMissing<string[]>([]))).map((entry) => join(folder, entry));
        const found = await Promise.all([folder, ...inside].map((one) => lstat(one).catch(whereMissing(null))));
        return Math.max(0, ...found.map((one) => one?.mtimeMs ?? 0));
      }),
    );
    const drops: Dropped = { pilots: [id], sets: [], tasks: [], services: [], batches: [] };
    const amount = await measure(join(this.home, path));
    const what = `what is left of pilot ${id}`;
    return { what, paths: [path], endedAt: Math.max(...changed), rank: RANK.everything, held: true, drops, ...amount };
  }

  /** Folders of tasks that have ended; `endedAt` for those that nobody remembers, null where the pilot lives. */
  async #sandboxes(pilot: string, endedAt: number | null): Promise<Unit[]> {
    const folder = `pilots/${pilot}/sandboxes`;
    const { tasks } = this.picture;
    const units: Unit[] = [];
    for (const id of await readdir(join(this.home, folder)).catch(whereMissing<string[]>([]))) {
      const slot = tasks.find(id);
      if (slot !== undefined ? !tasks.isFinal(slot) : endedAt === null) continue;
      const path = `${folder}/${id}`;
      const end = slot === undefined ? (endedAt ?? 0) : sinceOf(tasks, slot);
      const name = slot === undefined ? id : tasks.nameOf(slot);
      const amount = await this.#measure(path);
      units.push({
        what: `own folder of task "${name}"`,
        paths: [path],
        endedAt: end,
        rank: RANK.sandbox,
        held: false,
        ...amount,
      });
    }
    return units;
  }

  /** Arguments and functions that callers left for calls: removed when no live task names them. */
  async #sharedValues(): Promise<Unit[]> {
    const names = await readdir(join(this.home, 'values')).catch(whereMissing<string[]>([]));
    if (names.length === 0) return [];
    const named = await this.#namedByLiveTasks();
    const units: Unit[] = [];
    for (const name of names) {
      const path = `values/${name}`;
      const found = await lstat(join(this.home, path)).catch(whereMissing(null));
      // Younger ones may be about to be named. Nothing goes while it counts as ended in the future.
      const needed = found === null || named(name) || Date.now() - found.mtimeMs < NAMED_SOON_MS;
      const endedAt = needed ? Number.POSITIVE_INFINITY : found.mtimeMs;
      const amount = await measure(join(this.home, path));
      units.push({
        what: 'a value that was passed by file',
        paths: [path],
        endedAt,
        rank: RANK.shared,
        held: needed,
        ...amount,
      });
    }
    return units;
  }

  /** Looks through what live tasks were submitted with, and what live sets give to all of theirs. */
  async #namedByLiveTasks(): Promise<(name: string) => boolean> {
    const { tasks } = this.picture;
    const named = new Set<string>();
    const look = (text: string): void => {
      for (const [, name] of text.matchAll(/values\/([\w.-]+)/g)) if (name !== undefined) named.add(name);
    };
    for (const set of tasks.sets.values())
      if (set.endedAt === null) look(JSON.stringify(set.facts.description.template));
    let looked = 0;
    for (const slot of tasks.slots()) {
      if (tasks.isFinal(slot)) continue;
      look(tasks.text(slot));
      looked += 1;
      if (looked % PIECE === 0) await nextTurn();
    }
    return (name) => named.has(name);
  }

  async #measure(path: string): Promise<Amount> {
    const known = this.#measured.get(path);
    if (known !== undefined) return known;
    const amount = await measure(join(this.home, path));
    this.#measured.set(path, amount);
    return amount;
  }
}

function describe({ name, pilots, sets, tasks, services }: Family): string {
  const parts = [
    pilots.length > 0 ? `pilot "${name}"${pilots.length > 1 ? ` and ${pilots.length - 1} more` : ''}` : '',
    sets.length > 0 ? `${sets.length} task sets` : '',
    tasks.length > 0 ? `${tasks.length} tasks` : '',
    services.length > 0 ? `${services.length} services` : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function sum(amounts: readonly Amount[]): Amount {
  return amounts.reduce(add, NOTHING);
}
