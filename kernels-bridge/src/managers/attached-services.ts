import {
  type Detection,
  newId,
  type Origin,
  PilothouseError,
  type ProbeResult,
  type ResolvedAttachDescription,
  type ServiceRecord,
  serviceStates,
  toErrorData,
} from '@pilothouse/sdk/internal';
import { type Checked, checkServer } from '../adapters/attach-check.js';
import type { ChatApi } from '../adapters/types.js';
import type { Context } from '../context.js';
import type { Credentials } from '../credentials/credentials.js';
import { deriveServiceState, NO_LOAD } from '../picture/service-state.js';
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
  readonly #api: ChatApi;
  readonly #credentials: Credentials;
  readonly #attaching = new Once<ServiceRecord>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #closing = new AbortController();

  constructor(context: AttachContext, api: ChatApi, credentials: Credentials) {
    this.#context = context;
    this.#api = api;
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

  /** Looks at an address and keeps nothing. */
  async detect(description: ResolvedAttachDescription): Promise<Detection> {
    const { credential, url } = description;
    const secret = credential === undefined ? null : await this.#credentials.use(credential);
    try {
      const { base, model, open } = await this.#check({ ...description, allowUnauthenticated: true }, secret);
      const evidence = [`${base} lists ${model ?? 'no model'}`];
      return { api: 'openai', base, models: model === null ? [] : [model], asksForKey: !open, evidence, remedy: null };
    } catch (error) {
      const { message, hint } = toErrorData(error);
      return { api: null, base: url, models: [], asksForKey: null, evidence: [message], remedy: hint ?? message };
    }
  }

  /** Probes a service now; its record is up to date when this resolves. */
  async probe(id: string): Promise<void> {
    const service = this.#context.picture.get('service', id);
    if (service === undefined || service.url === null || serviceStates.isFinal(service.state)) {
      this.#timers.delete(id);
      return;
    }
    const result = await this.#ask(service, service.url);
    if (this.#closing.signal.aborted) return;
    this.#context.picture.update('service', id, (record) => this.#probed(record, result));
    this.#plan(id, result.ok ? PROBE_READY : PROBE_LOST);
  }

  async #attach(description: ResolvedAttachDescription, origin: Origin, key: string): Promise<ServiceRecord> {
    const { clock, events, names, picture } = this.#context;
    const { credential } = description;
    const secret = credential === undefined ? null : await this.#credentials.use(credential);
    const checked = await this.#check(description, secret);
    const id = newId('service');
    const name = names.reserve('service', description.name ?? checked.model ?? new URL(checked.base).hostname, id);
    const t = clock.iso();
    const keyFile = credential === undefined ? null : this.#credentials.file(credential);
    const service = newRecord({ id, name, description, checked, keyFile, owner: origin.name, t });
    try {
      await events.append([{ type: 'service.submitted', key, service, spec: null }]);
    } catch (error) {
      names.release('service', name, id);
      throw error;
    }
    this.#plan(id, PROBE_READY);
    return picture.get('service', id) ?? service;
  }

  async #check(description: ResolvedAttachDescription, secret: string | null): Promise<Checked> {
    const timeout = AbortSignal.timeout(CHECK_TIMEOUT);
    const signal = AbortSignal.any([timeout, this.#closing.signal]);
    try {
      return await checkServer(this.#api, description, secret, signal);
    } catch (error) {
      if (!timeout.aborted || error instanceof PilothouseError) throw error;
      throw new PilothouseError(
        'SERVICE_UNREACHABLE',
        `${description.url} did not answer a question of one token within ${CHECK_TIMEOUT / 1000} s`,
        { hint: 'Check that its model is loaded, then attach it again.', cause: error },
      );
    }
  }

  async #ask(service: ServiceRecord, base: string): Promise<ProbeResult> {
    const { clock } = this.#context;
    const started = clock.monotonic();
    const result = (ok: boolean, text: string): ProbeResult => {
      return { ok, at: clock.iso(), latency: clock.monotonic() - started, text };
    };
    const timeout = AbortSignal.timeout(PROBE_TIMEOUT);
    const signal = AbortSignal.any([timeout, this.#closing.signal]);
    try {
      const { credential, name } = service;
      const key = credential === null ? null : await this.#credentials.use(credential);
      const models = await this.#api.models({ base, key, name, credential }, signal);
      return result(true, `lists ${models.length} ${models.length === 1 ? 'model' : 'models'}`);
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

interface NewService {
  readonly id: string;
  readonly name: string;
  readonly description: ResolvedAttachDescription;
  readonly checked: Checked;
  readonly keyFile: string | null;
  readonly owner: string;
  readonly t: string;
}

function newRecord({ id, name, description, checked, keyFile, owner, t }: NewService): ServiceRecord {
  const { base, model, open, latency } = checked;
  const contact = { lost: false, since: t };
  return {
    kind: 'service',
    id,
    name,
    seq: 0,
    state: 'READY',
    since: t,
    reason: null,
    contact,
    error: null,
    times: { STARTING: t, READY: t },
    owner,
    createdAt: t,
    endedAt: null,
    api: 'openai',
    origin: 'attached',
    description,
    template: null,
    pilot: null,
    model,
    url: base,
    credential: description.credential ?? null,
    openToNode: open,
    instances: [
      {
        id: newId('instance'),
        index: 1,
        state: 'READY',
        since: t,
        reason: null,
        contact,
        attempt: 0,
        endpoint: { url: base.replace(/\/v1$/, ''), ports: { http: base.replace(/\/v1$/, '') }, keyFile, serverKey: null },
        bootstrap: null,
        probe: { ok: true, at: t, latency, text: 'checked when it was attached' },
        probes: {},
        progress: null,
        draining: false,
        load: null,
        exitCode: null,
        stderrTail: null,
        output: null,
        error: null,
        times: { READY: t },
      },
    ],
    scale: null,
    methods: null,
    load: NO_LOAD,
  };
}
