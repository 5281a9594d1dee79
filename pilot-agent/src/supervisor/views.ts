import type { Endpoint, InstanceState, Method, ProbeResult, ServiceSpec } from '@pilothouse/sdk/shared';

/** Who passes requests to services. */
export type LoadSource = 'bridge' | 'gateway';

/** Requests of a service: under way, and waiting for a place. */
export interface Load {
  readonly outstanding: number;
  readonly queued: number;
}

/** An instance that has not ended, as the rest of the agent sees it. */
export interface InstanceView {
  readonly id: string;
  readonly index: number;
  readonly state: InstanceState;
  readonly endpoint: Endpoint | undefined;
  /** Takes nothing new. */
  readonly draining: boolean;
  /** The latest look that decides whether requests come. */
  readonly probe: ProbeResult | undefined;
}

/** A service as the rest of the agent sees it. */
export interface ServiceView {
  readonly spec: ServiceSpec;
  /** Nothing of it runs, and nothing will. */
  readonly over: boolean;
  /** It takes nothing new. */
  readonly ending: boolean;
  readonly instances: readonly InstanceView[];
  /** What it can do, where it says so itself. */
  readonly methods: readonly Method[] | undefined;
}

/** Who hears of an instance. */
export interface InstanceListener {
  changed(): void;
  said(methods: readonly Method[]): void;
}

/** Why something waits or is being done, in words. */
export interface Why {
  readonly code: string;
  readonly text: string;
}
