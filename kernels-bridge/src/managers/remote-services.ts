import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pilotStates, type ServiceRecord } from '@pilothouse/sdk/internal';
import { z } from 'zod';
import type { Context } from '../context.js';
import { whereMissing } from '../missing.js';
import type { SpoolEntry } from '../spool/spool-writer.js';
import { writeWhole } from '../store/whole-file.js';
import { remoteOf } from './batches/remote-service.js';

const idsSchema = z.array(z.string());
/** Milliseconds in which changes of a service gather before its agents are told. */
const GATHER_MS = 50;

/**
 * Services that are called from pilots they do not run on: attached ones, and those of other pilots. Each agent that
 * needs one is told where it answers, and told again whenever that changes; which agents those are stands in a file of
 * each pilot, so that the next bridge goes on with it.
 */
export class RemoteServices {
  /** Ids of the services that a pilot has been told of, by pilot. */
  readonly #needed = new Map<string, Set<string>>();
  /** What a pilot was told last, by pilot and service. */
  readonly #told = new Map<string, string>();
  readonly #changed = new Set<string>();
  readonly #stop: () => void;
  #timer: NodeJS.Timeout | undefined;
  #telling: Promise<void> = Promise.resolve();

  constructor(private readonly context: Context) {
    this.#stop = context.picture.onChange(({ kind, id }) => {
      if (kind !== 'service') return;
      this.#changed.add(id);
      this.#timer ??= setTimeout(() => this.#tellChanged(), GATHER_MS).unref();
    });
  }

  async close(): Promise<void> {
    this.#stop();
    clearTimeout(this.#timer);
    await this.#telling;
  }

  /** Takes over what earlier bridges told. */
  async adopt(): Promise<void> {
    for (const { id, state } of this.context.picture.list('pilot')) {
      if (pilotStates.isFinal(state)) continue;
      const text = await readFile(this.#file(id), 'utf8').catch(whereMissing('[]'));
      const ids = idsSchema.safeParse(parse(text)).data ?? [];
      if (ids.length > 0) this.#needed.set(id, new Set(ids));
      for (const service of ids) this.#changed.add(service);
    }
    if (this.#changed.size > 0) this.#tellChanged();
  }

  /**
   * What has to stand in a pilot's spool before work that calls these services; from now on that pilot hears of their
   * changes.
   */
  async entries(pilot: string, services: Iterable<string>): Promise<SpoolEntry[]> {
    const entries: SpoolEntry[] = [];
    const needed = this.#needed.get(pilot) ?? new Set<string>();
    const before = needed.size;
    for (const id of services) {
      const service = this.context.picture.get('service', id);
      if (service === undefined || service.pilot === pilot) continue;
      needed.add(id);
      const entry = this.#entry(pilot, service);
      if (entry !== null) entries.push(entry);
    }
    if (needed.size > before) {
      this.#needed.set(pilot, needed);
      await writeWhole(this.#file(pilot), JSON.stringify([...needed]));
    }
    return entries;
  }

  #tellChanged(): void {
    this.#timer = undefined;
    const changed = [...this.#changed];
    this.#changed.clear();
    this.#telling = this.#telling
      .then(async () => {
        for (const [pilot, needed] of this.#needed)
          await this.#tell(
            pilot,
            changed.filter((id) => needed.has(id)),
          );
      })
      .catch((error: unknown) => this.context.log.error('an agent could not be told of a service', error));
  }

  async #tell(pilot: string, services: readonly string[]): Promise<void> {
    const { picture, spool, link } = this.context;
    const state = picture.get('pilot', pilot)?.state;
    if (state === undefined || pilotStates.isFinal(state)) {
      this.#needed.delete(pilot);
      return;
    }
    const entries = services.flatMap((id) => {
      const service = picture.get('service', id);
      const entry = service === undefined ? null : this.#entry(pilot, service);
      return entry === null ? [] : [entry];
    });
    if (entries.length > 0) link.spooled(pilot, await spool.append(pilot, entries));
  }

  /** null: it was told exactly this already. */
  #entry(pilot: string, service: ServiceRecord): SpoolEntry | null {
    const remote = remoteOf(service);
    const text = JSON.stringify(remote);
    const key = `${pilot}|${service.id}`;
    if (this.#told.get(key) === text) return null;
    this.#told.set(key, text);
    return { type: 'remote-service', service: remote };
  }

  #file(pilot: string): string {
    return join(this.context.config.home, 'pilots', pilot, 'remote-services.json');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return []; // Half a file is never left behind; anything else was not written by us, and tells nothing.
  }
}
