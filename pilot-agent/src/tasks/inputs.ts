import { stat } from 'node:fs/promises';
import { basename, dirname, matchesGlob, resolve } from 'node:path';
import { PilothouseError, type ResolvedTaskDescription } from '@pilothouse/sdk/shared';

const PATTERN = /[*?[{]/;

/** What the files that a task needs are like. */
export type InputCheck =
  | { readonly state: 'there' }
  /** Not yet, but a task is under way that brings it. */
  | { readonly state: 'waits'; readonly producer: string; readonly text: string }
  | { readonly state: 'missing'; readonly error: PilothouseError };

interface Producer {
  readonly id: string;
  readonly name: string;
}

/** Files that live tasks will stage out: what others may wait for. */
export class Inputs {
  readonly #files = new Map<string, Set<Producer>>();
  /** Patterns by folder. */
  readonly #patterns = new Map<string, Map<string, Set<Producer>>>();

  /** Notes what a live task will bring. */
  add(producer: Producer, stageOut: ResolvedTaskDescription['stageOut'], caller: string): void {
    for (const place of placesOf(stageOut, caller)) this.#at(place).add(producer);
  }

  remove(producer: Producer, stageOut: ResolvedTaskDescription['stageOut'], caller: string): void {
    for (const place of placesOf(stageOut, caller)) this.#at(place).delete(producer);
  }

  /** Looks for files, in the order they are named. */
  async check(inputs: readonly string[], caller: string, self: string): Promise<InputCheck> {
    for (const input of inputs) {
      const path = resolve(caller, input);
      const found = await stat(path).catch(() => undefined);
      if (found !== undefined) continue;
      const producer = this.#producerOf(path, self);
      if (producer === undefined) return { state: 'missing', error: missing(path) };
      return { state: 'waits', producer: producer.id, text: `waits for ${path}, which task ${producer.name} brings` };
    }
    return { state: 'there' };
  }

  #at({ folder, name }: Place): Set<Producer> {
    if (!PATTERN.test(name)) return entry(this.#files, `${folder}/${name}`, () => new Set());
    const patterns = entry(this.#patterns, folder, () => new Map<string, Set<Producer>>());
    return entry(patterns, name, () => new Set());
  }

  #producerOf(path: string, self: string): Producer | undefined {
    const exact = other(this.#files.get(path), self);
    if (exact) return exact;
    // What is staged out as a folder brings everything below it.
    for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
      const whole = other(this.#files.get(folder), self);
      if (whole) return whole;
    }
    for (const [pattern, producers] of this.#patterns.get(dirname(path)) ?? []) {
      const found = matchesGlob(basename(path), pattern) ? other(producers, self) : undefined;
      if (found) return found;
    }
    return undefined;
  }
}

interface Place {
  readonly folder: string;
  /** File name, or a pattern of one. */
  readonly name: string;
}

function placesOf(stageOut: ResolvedTaskDescription['stageOut'], caller: string): Place[] {
  return stageOut.flatMap(({ from, to }) => {
    if (/^[a-z]+:\/\//.test(to)) return [];
    const target = resolve(caller, to);
    return [to.endsWith('/') || PATTERN.test(from) ? { folder: target, name: basename(from) } : split(target)];
  });
}

function split(path: string): Place {
  return { folder: dirname(path), name: basename(path) };
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

function other(producers: ReadonlySet<Producer> | undefined, self: string): Producer | undefined {
  for (const producer of producers ?? []) if (producer.id !== self) return producer;
  return undefined;
}

function missing(path: string): PilothouseError {
  return new PilothouseError('DATA_NOT_FOUND', `the input ${path} is not there, and no task here brings it`, {
    hint: `Put the file at ${path}, or submit the task that makes it with a stageOut to there.`,
    evidence: path,
  });
}
