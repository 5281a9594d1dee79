import type { Endpoint, InstanceState, ProbeResult, ServiceSpec } from '@pilothouse/sdk/shared';

/** An instance that has not ended. */
export interface SourceInstance {
  readonly id: string;
  /** 1, 2, 3 … */
  readonly index: number;
  readonly state: InstanceState;
  readonly endpoint: Endpoint | undefined;
  readonly draining: boolean;
  readonly probe: ProbeResult | undefined;
}

/** A service of this pilot, as requests need it. */
export interface SourceService {
  readonly spec: ServiceSpec;
  /** No instance is left, and none comes any more. */
  readonly over: boolean;
  readonly instances: readonly SourceInstance[];
}

/** Where the gateway learns of the services of its pilot, and says what they have to do. */
export interface ServiceSource {
  services(): readonly SourceService[];
  /** Calls back whenever an instance has changed; gives the way to stop. */
  onChange(listener: () => void): () => void;
  demand(service: string, source: 'gateway', load: { readonly outstanding: number; readonly queued: number }): void;
  /** Asked for the requests under way at an instance, before it is stopped. */
  loadOf(count: (instance: string) => number): void;
}
