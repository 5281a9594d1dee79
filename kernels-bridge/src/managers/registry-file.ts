import { join } from 'node:path';
import { type InstanceRecord, instanceStates, type ServiceRecord, serviceStates } from '@pilothouse/sdk/internal';
import { z } from 'zod';
import type { Context } from '../context.js';
import { writeWhole } from '../store/whole-file.js';

/** Milliseconds in which changes gather. */
const GATHER_MS = 250;
/** Milliseconds between two writings while nothing changes, so that an old file shows itself. */
const REFRESH_MS = 60_000;
/** Seconds after which a file that is being watched over counts as stale. */
export const STALE_AFTER = 180;

/** `services.json` in the state root. */
export const registryFileSchema = z.object({
  v: z.literal(1),
  /** When it was written. */
  at: z.string(),
  /** Start of Pilothouse that wrote it: the highest number is the latest. */
  epoch: z.int(),
  host: z.string(),
  /** Whether it is written again while anything changes; false: Pilothouse has ended in order, and services may go on. */
  watched: z.boolean(),
  services: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      api: z.string(),
      origin: z.string(),
      state: z.string(),
      since: z.string(),
      pilot: z.string().nullable(),
      model: z.string().nullable(),
      instances: z.array(
        z.object({
          id: z.string(),
          index: z.int(),
          /** Changes when its process is started anew, and its address with it. */
          attempt: z.int(),
          state: z.string(),
          since: z.string(),
          url: z.string(),
          ports: z.record(z.string(), z.string()),
          keyFile: z.string().nullable(),
          serverKey: z.string().nullable(),
        }),
      ),
    }),
  ),
});
export type RegistryFile = z.infer<typeof registryFileSchema>;

/**
 * Keeps `services.json` in step with the picture: where every service of the user answers, for programs that cannot ask
 * Pilothouse itself. It names files of keys, never keys.
 */
export class ServiceRegistryFile {
  readonly #stops: (() => void)[];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #last = '';

  constructor(private readonly context: Context) {
    const unfollow = context.picture.onChange(({ kind }) => {
      if (kind === 'service') this.#timer ??= setTimeout(() => this.#write(true, false), GATHER_MS).unref();
    });
    const refresh = setInterval(() => this.#write(true, true), REFRESH_MS).unref();
    this.#stops = [unfollow, () => clearInterval(refresh)];
  }

  /** Writes it as it is at the start, and says so at the end. */
  start(): void {
    this.#write(true, true);
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#write(false, true);
    await this.#writing;
  }

  #write(watched: boolean, always: boolean): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { clock, config, epoch, picture, log } = this.context;
    const services = [...picture.list('service')].filter(({ state }) => !serviceStates.isFinal(state)).map(entryOf);
    // Requests change a service's record all the time, and nothing of what stands here.
    const text = JSON.stringify(services);
    if (text === this.#last && !always) return;
    this.#last = text;
    const file: RegistryFile = { v: 1, at: clock.iso(), epoch, host: config.host, watched, services };
    this.#writing = this.#writing
      .then(() => writeWhole(registryPath(config.home), `${JSON.stringify(file, null, 1)}\n`))
      .catch((error: unknown) => log.error('services.json cannot be written', error));
  }
}

export function registryPath(home: string): string {
  return join(home, 'services.json');
}

function entryOf(service: ServiceRecord): RegistryFile['services'][number] {
  const { id, name, api, origin, state, since, pilot, model } = service;
  return { id, name, api, origin, state, since, pilot, model, instances: service.instances.flatMap(instanceOf) };
}

function instanceOf({ id, index, attempt, state, since, endpoint }: InstanceRecord) {
  if (endpoint === null || instanceStates.isFinal(state)) return [];
  return [{ id, index, attempt, state, since, ...endpoint }];
}
