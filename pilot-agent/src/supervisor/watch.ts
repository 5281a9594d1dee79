import {
  type Endpoint,
  formatSeconds,
  PilothouseError,
  type ProbeResult,
  type ServiceSpec,
  toSeconds,
} from '@pilothouse/sdk/shared';
import { ownerOfPort } from './ports.js';

/** What is seen of an instance. */
export interface WatchListener {
  ready(probe: ProbeResult): void;
  unhealthy(probe: ProbeResult): void;
  recovered(probe: ProbeResult): void;
  /** It will not become what it should be; its process has to be ended. */
  giveUp(error: PilothouseError): void;
}

/** While it starts, an instance is probed often: the time until it is ready is a figure that people read. */
const FIRST_PAUSE_MS = 15;
const LONGEST_PAUSE_MS = 250;
/** How many times the usual number of failures an instance may stay silent before it is started again. */
const PATIENCE = 10;

/** Probes one running instance, first until it is ready, then for as long as it lives. */
export class Watch {
  readonly #service: ServiceSpec;
  readonly #port: number;
  readonly #session: number;
  readonly #mark: string;
  readonly #listener: WatchListener;
  readonly #timeout: number;
  readonly #interval: number;
  #last: ProbeResult | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #healthy = true;
  #watching = false;
  #stopped = false;

  constructor(service: ServiceSpec, endpoint: Endpoint, session: number, mark: string, listener: WatchListener) {
    this.#service = service;
    this.#port = Number(new URL(endpoint.url).port);
    this.#session = session;
    this.#mark = mark;
    this.#listener = listener;
    this.#timeout = toSeconds(service.probes.readiness.timeout);
    this.#interval = toSeconds(service.probes.readiness.interval);
  }

  get last(): ProbeResult | undefined {
    return this.#last;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Probes until the first success, then keeps watching. */
  waitUntilReady(): void {
    void this.#start(performance.now() + this.#service.startTimeout * 1000, FIRST_PAUSE_MS);
  }

  /** Probes now, and then in the rhythm of the description. */
  keepWatching(healthy: boolean): void {
    this.#healthy = healthy;
    this.#watching = true;
    void this.#goOn();
  }

  /** One probe; what it means is told to the listener once the instance is past its start. */
  async probe(): Promise<ProbeResult> {
    // Loaded with the first service: an agent without one starts faster.
    const { probeHttp } = await import('./probe.js');
    const probe = await probeHttp(this.#port, this.#service.probes.readiness.http ?? '/', this.#timeout);
    this.#last = probe;
    if (this.#watching && !this.#stopped) this.#judge(probe);
    return probe;
  }

  async #start(deadline: number, pause: number): Promise<void> {
    const probe = await this.probe();
    const owner = probe.ok ? await ownerOfPort(this.#port, this.#session, this.#mark) : 'unknown';
    if (this.#stopped) return;
    if (owner === 'foreign') {
      this.#listener.giveUp(this.#foreign());
    } else if (probe.ok) {
      this.#listener.ready(probe);
      this.#watching = true;
      this.#later(() => void this.#goOn(), this.#interval * 1000);
    } else if (performance.now() >= deadline) {
      this.#listener.giveUp(this.#tooSlow(probe));
    } else {
      this.#later(() => void this.#start(deadline, Math.min(pause * 1.25, LONGEST_PAUSE_MS)), pause);
    }
  }

  async #goOn(): Promise<void> {
    if (this.#stopped) return;
    await this.probe();
    this.#later(() => void this.#goOn(), this.#interval * 1000);
  }

  #later(work: () => void, milliseconds: number): void {
    if (!this.#stopped) this.#timer = setTimeout(work, milliseconds);
  }

  #judge(probe: ProbeResult): void {
    if (probe.ok) {
      this.#failures = 0;
      if (!this.#healthy) {
        this.#healthy = true;
        this.#listener.recovered(probe);
      }
      return;
    }
    this.#failures += 1;
    const { failures } = this.#service.probes.readiness;
    if (this.#healthy && this.#failures >= failures) {
      this.#healthy = false;
      this.#listener.unhealthy(probe);
    } else if (this.#failures >= failures * PATIENCE) {
      this.#listener.giveUp(this.#silent(probe));
    }
  }

  #foreign(): PilothouseError {
    const text = `${this.#service.name}: port ${this.#port} was taken by another process`;
    return new PilothouseError('PORT_IN_USE', text, { hint: 'It is started on another port by itself.' });
  }

  #tooSlow(probe: ProbeResult): PilothouseError {
    const limit = formatSeconds(this.#service.startTimeout);
    return new PilothouseError('SERVICE_FAILED', `${this.#service.name} was not ready within ${limit}`, {
      hint: 'Give it a longer startTimeout, or look at what it writes.',
      evidence: `last probe: ${probe.text}`,
    });
  }

  #silent(probe: ProbeResult): PilothouseError {
    return new PilothouseError('SERVICE_FAILED', `${this.#service.name} stopped answering`, {
      hint: 'It is started again; look at what it wrote last.',
      evidence: `${this.#failures} probes in a row failed, the last with: ${probe.text}`,
    });
  }
}
