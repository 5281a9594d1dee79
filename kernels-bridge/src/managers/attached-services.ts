import {
  type Detection,
  type Endpoint,
  newId,
  type Origin,
  PilothouseError,
  type ProbeResult,
  type ResolvedAttachDescription,
  type ServiceRecord,
  serviceStates,
  toErrorData,
} from '@pilothouse/sdk/internal';
import { type Adapters, checkServer, detect } from '@pilothouse/serving';
import type { Context } from '../context.js';
import type { Credentials } from '../credentials/credentials.js';
import { deriveServiceState } from '../picture/service-state.js';
import { newAttachedRecord } from './attached-record.js';
import { Once } from './once.js';

/** Milliseconds for the whole check of a server; some load their model at the first question. */
const CHECK_TIMEOUT = 25_000;
/** Milliseconds between probes of a server that answers, and of one that does not. */
const PROBE_READY = 30_000;
const PROBE_LOST = 5_000;
const PROBE_TIMEOUT = 5_000;

/** What of a bridge this part needs. */
export type AttachContext = Pick<Context, 'clock' | 'events' | 'keys' | 'log' | 'names' | 'picture'>;

/** Services that somebody else started: checked when they are attached, probed from then on. */
export class AttachedServices {
  readonly #context: AttachContext;
  readonly #adapters: Adapters;
  readonly #credentials: Credentials;
  readonly #attaching = new Once<ServiceRecord>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #closing = new AbortController();

  constructor(context: AttachContext, adapters: Adapters, credentials: Credentials) {
    this.#context = context;
    this.#adapters = adapters;
    this.#credentials = credentials;
  }

  /** Goes on probing what earlier bridges attached. */
  start(): void {
    for (const { id, origin, state } of this.#context.picture.list('service')) {
      if (origin === 'attached' && !serviceStates.isFinal(state)) this.#plan(id, 0);
    }
  }

  close(): void {
    this.#closing.abort();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  /**
   * Checks a server and keeps it as a service.
   *
   * @throws PilothouseError as {@link checkServer}; CREDENTIAL_NOT_FOUND
   */
  attach(description: ResolvedAttachDescription, origin: Origin, key: string): Promise<ServiceRecord> {
    return this.#attaching.run(key, async () => {
      const { keys, picture } = this.#context;
      const made = picture.get('service', keys.get(key)?.id ?? '');
      return made ?? (await this.#attach(description, origin, key));
    });
  }

  /**
   * Looks at an address and keeps nothing.
   *
   * @throws PilothouseError CREDENTIAL_NOT_FOUND, SERVICE_UNREACHABLE where it takes too long
   */
  async detect(description: ResolvedAttachDescription): Promise<Detection> {
    const secret = await this.#secret(description);
    return await this.#patiently(description, (signal) => detect(this.#adapters, description, secret, signal));
  }

  /** Probes a service now; its record is up to date when this resolves. */
  async probe(id: string): Promise<void> {
    const service = this.#context.picture.get('service', id);
    const endpoint = service?.instances[0]?.endpoint;
    if (service === undefined || endpoint == null || serviceStates.isFinal(service.state)) {
      this.#timers.delete(id);
      return;
    }
    const result = await this.#ask(service, endpoint);
    if (this.#closing.signal.aborted) return;
    this.#context.picture.update('service', id, (record) => this.#probed(record, result));
    this.#plan(id, result.ok ? PROBE_READY : PROBE_LOST);
  }

  async #attach(description: ResolvedAttachDescription, origin: Origin, key: string): Promise<ServiceRecord> {
    const { clock, events, names, picture } = this.#context;
    const { credential } = description;
    const secret = await this.#secret(description);
    const checked = await this.#patiently(description, (signal) =>
      checkServer(this.#adapters, description, secret, signal),
    );
    const id = newId('service');
    const name = names.reserve(
      'service',
      description.name ?? checked.model ?? (new URL(checked.base).hostname || checked.api),
      id,
    );
    const t = clock.iso();
    const keyFile = credential === undefined ? null : this.#credentials.file(credential);
    const service = newAttachedRecord({ id, name, description, checked, keyFile, owner: origin.name, t });
    try {
      await events.append([{ type: 'service.submitted', key, service, spec: null }]);
    } catch (error) {
      names.release('service', name, id);
      throw error;
    }
    this.#plan(id, PROBE_READY);
    return picture.get('service', id) ?? service;
  }

  async #secret({ credential }: ResolvedAttachDescription): Promise<string | null> {
    return credential === undefined ? null : await this.#credentials.use(credential);
  }

  async #patiently<T>({ url }: ResolvedAttachDescription, look: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const timeout = AbortSignal.timeout(CHECK_TIMEOUT);
    try {
      return await look(AbortSignal.any([timeout, this.#closing.signal]));
    } catch (error) {
      if (!timeout.aborted || error instanceof PilothouseError) throw error;
      throw new PilothouseError(
        'SERVICE_UNREACHABLE',
        `${url} took the request and did not answer within ${CHECK_TIMEOUT / 1000} s`,
        {
          hint: 'Check that its model is loaded and that it is not stuck, then attach it again.',
          cause: error,
        },
      );
    }
  }

  async #ask(service: ServiceRecord, endpoint: Endpoint): Promise<ProbeResult> {
    const { clock } = this.#context;
    const started = clock.monotonic();
    const result = (ok: boolean, text: string): ProbeResult => {
      return { ok, at: clock.iso(), latency: clock.monotonic() - started, text };
    };
    const timeout = AbortSignal.timeout(PROBE_TIMEOUT);
    const signal = AbortSignal.any([timeout, this.#closing.signal]);
    try {
      const { api, credential, name, model } = service;
      const key = credential === null ? null : await this.#credentials.use(credential);
      return result(true, await this.#adapters.byApi[api].check({ endpoint, key, name, credential, model }, signal));
    } catch (error) {
      if (timeout.aborted) return result(false, `no answer within ${PROBE_TIMEOUT / 1000} s`);
      // A server that cannot list its models was attached with a model named: that it says so is a sign of life.
      const alive = error instanceof PilothouseError && error.code === 'BACKEND_FAILED' && service.model !== null;
      return result(alive, toErrorData(error).message);
    }
  }

  #probed(service: ServiceRecord, probe: ProbeResult): Partial<ServiceRecord> | null {
    if (serviceStates.isFinal(service.state)) return null;
    const t = probe.at;
    const instances = service.instances.map((instance) => {
      const state = probe.ok ? 'READY' : 'UNHEALTHY';
      if (state === instance.state) return { ...instance, probe };
      const reason = probe.ok ? null : { code: 'PROBE_FAILED', text: probe.text, since: t };
      return { ...instance, state, since: t, reason, probe, times: { ...instance.times, [state]: t } } as const;
    });
    const { state, reason } = deriveServiceState({ ...service, instances }, t);
    if (state === service.state) return { instances, reason };
    return { instances, state, reason, since: t, times: { ...service.times, [state]: t } };
  }

  #plan(id: string, delay: number): void {
    clearTimeout(this.#timers.get(id));
    const probe = (): void => {
      this.probe(id).catch((error: unknown) => this.#context.log.error(`the probe of ${id} failed`, error));
    };
    this.#timers.set(id, setTimeout(probe, delay).unref());
  }
}
