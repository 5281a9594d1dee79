import type { Port, Probes, Resources, ServiceApi, ServiceSpec } from '@pilothouse/sdk/internal';
import type { z } from 'zod';

/** How one instance of a service is started, and what is known of it beforehand. */
export interface LaunchPlan {
  /** Program and arguments; `{port}`, `{host}`, `{cores}`, `{apiKeyFile}` are filled in on the node. */
  readonly command: readonly string[];
  /** Variables beside the caller's own. */
  readonly env: Readonly<Record<string, string>>;
  /** Files that must exist on the node; the first missing one is named in the failure. */
  readonly needs: readonly string[];
  /** Whether the server asks for the key in `{apiKeyFile}`. */
  readonly authenticated: boolean;
  /** Name of the model for requests; null: the first that the server lists. */
  readonly model: string | null;
  readonly api: ServiceApi;
  /** Requests that one instance takes at a time. */
  readonly concurrency: number;
  /** Left out: what the API needs. */
  readonly ports?: readonly Port[];
  readonly probes?: Probes;
  readonly warmUp?: ServiceSpec['warmUp'];
  /** Lines of its output that say how far it has loaded; see the spec of a service. */
  readonly progress: readonly string[];
}

/** A ready-made service. One folder of this package per template. */
export interface Template {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** What an instance gets where the description does not say. */
  readonly resources: Resources;
  /** Parameters; its JSON Schema makes the form. */
  readonly params: z.ZodType;
  /** Why it cannot be started here and what would help; null where it can. */
  unavailable(): Promise<string | null>;
  /**
   * How it is started with these parameters.
   *
   * @param params - checked by `params`
   */
  plan(params: unknown): Promise<LaunchPlan>;
  /** Requests that one instance takes at a time, with these parameters. */
  concurrency(params: unknown): number;
}
