import {
  PilothouseError,
  type Probe,
  type ProbeResult,
  type ProbeRole,
  type ServiceSpec,
  toErrorData,
  toSeconds,
} from '@pilothouse/sdk/shared';
import type { Looks } from './looks.js';
import { pause } from './pause.js';

/** What is seen of an instance that was ready. */
export interface WatchListener {
  unhealthy(probe: ProbeResult): void;
  recovered(probe: ProbeResult): void;
  /** It will not become what it should be; its process has to be ended. */
  giveUp(error: PilothouseError): void;
}

/** Looks at an instance in the rhythm of its probes, for as long as it lives. */
export class Watch {
  readonly #service: ServiceSpec;
  readonly #looks: Looks;
  readonly #listener: WatchListener;
  readonly #signal: AbortSignal;
  /** Whether the two questions are asked by the same look. */
  readonly #together: boolean;
  #healthy: boolean;
  #failures = 0;
  #silent = 0;
  #successes = 0;

  /** @param healthy - whether it was ready when it was last looked at */
  constructor(service: ServiceSpec, looks: Looks, healthy: boolean, signal: AbortSignal, listener: WatchListener) {
    this.#service = service;
    this.#looks = looks;
    this.#healthy = healthy;
    this.#signal = signal;
    this.#listener = listener;
    this.#together = sameLook(service.probes.readiness, service.probes.liveness);
  }

  /** @param after - milliseconds until the first look */
  begin(after: number): void {
    void this.#keepLooking('readiness', after);
    if (!this.#together) void this.#keepLooking('liveness', after);
  }

  /** Looks now, beside the usual rhythm. */
  async lookNow(): Promise<void> {
    if (this.#service.probes.readiness.pattern === undefined) await this.#look('readiness');
  }

  async #keepLooking(role: 'readiness' | 'liveness', after: number): Promise<void> {
    const probe = this.#service.probes[role];
    // A line that was written once stays written.
    if (probe.pattern !== undefined) return;
    await pause(after, this.#signal);
    if (role === 'liveness') await pause(toSeconds(probe.initialDelay) * 1000, this.#signal);
    while (!this.#signal.aborted) {
      await this.#look(role);
      await pause(toSeconds(probe.interval) * 1000, this.#signal);
    }
  }

  async #look(role: ProbeRole): Promise<void> {
    try {
      // After a failure the port may be somebody else's.
      if (this.#looks.results[role]?.ok !== true) await this.#looks.checkOwner();
      const result = await this.#looks.look(role);
      if (this.#signal.aborted) return;
      if (role === 'readiness') this.#judgeReadiness(result);
      if (role === 'liveness' || this.#together) this.#judgeLiveness(result);
    } catch (error) {
      if (!this.#signal.aborted) this.#listener.giveUp(PilothouseError.from(toErrorData(error), error));
    }
  }

  #judgeReadiness(result: ProbeResult): void {
    const { failures, successes } = this.#service.probes.readiness;
    this.#failures = result.ok ? 0 : this.#failures + 1;
    this.#successes = result.ok ? this.#successes + 1 : 0;
    if (this.#healthy && this.#failures >= failures) {
      this.#healthy = false;
      this.#listener.unhealthy(result);
    } else if (!this.#healthy && this.#successes >= successes) {
      this.#healthy = true;
      this.#listener.recovered(result);
    }
  }

  #judgeLiveness(result: ProbeResult): void {
    this.#silent = result.ok ? 0 : this.#silent + 1;
    if (this.#silent < this.#service.probes.liveness.failures) return;
    const error = new PilothouseError('SERVICE_FAILED', `${this.#service.name} stopped answering`, {
      hint: 'It is started again; look at what it wrote last.',
      evidence: `${this.#silent} probes in a row failed, the last with: ${result.text}`,
    });
    this.#listener.giveUp(error);
  }
}

/** Whether two probes differ only in what follows from their results. */
function sameLook(one: Probe, other: Probe): boolean {
  return lookOf(one) === lookOf(other);
}

function lookOf({ http, tcp, zmq, pattern, command, endpoint, interval, timeout, initialDelay }: Probe): string {
  return JSON.stringify([http, tcp, zmq, pattern, command, endpoint, interval, timeout, initialDelay]);
}
