import type { Environment, Port, Probes, Resources, ServiceApi, ServiceSpec } from '@pilothouse/sdk/internal';

/** How the instances of a service are started, and what is known of it beforehand. */
export interface LaunchPlan {
  /** Program and arguments; the words in braces (`{port}`, `{apiKeyFile}` …) are filled in on the node. */
  readonly command: readonly string[];
  /** Variables beside the caller's own. */
  readonly env: Readonly<Record<string, string>>;
  readonly environment?: Environment | undefined;
  /** Shell lines before the command. */
  readonly setup: readonly string[];
  /** Files that must exist on the node; the first missing one is named in the failure. */
  readonly needs: readonly string[];
  /** Whether the server asks for the key that it is given. */
  readonly authenticated: boolean;
  /** Name of the model for requests; null: the first that the server lists. */
  readonly model: string | null;
  readonly api: ServiceApi;
  /** Requests that one instance takes at a time. */
  readonly concurrency: number;
  /** What an instance gets where the description does not say. */
  readonly resources: Resources;
  /** How long an instance may take to become ready, in seconds. */
  readonly startTimeout: number;
  /** Left out: what the API needs. */
  readonly ports?: readonly Port[];
  readonly probes?: Probes;
  readonly warmUp?: ServiceSpec['warmUp'];
  /** Lines of its output that say how far it has loaded; see the spec of a service. */
  readonly progress: readonly string[];
  readonly checks: LaunchChecks;
}

/** What there is to look at before a launch. */
export interface LaunchChecks {
  /** Weights: a file or folder, or a name in a hub; with the parameter that says so. */
  readonly weights?: { readonly at: string; readonly isPath: boolean; readonly field: string };
  /** Tokens of context that one request gets. */
  readonly context?: { readonly tokens: number; readonly field: string; readonly strict: boolean };
  /** Share of the GPUs' memory that the server may use. */
  readonly gpuShare?: number;
}

/** What a look before a launch has found. */
export interface Finding {
  ok: boolean;
  text: string;
  /** What to do; null where all is well. */
  remedy: string | null;
  /** Parameter that a start is refused for, since the server would refuse it, or die of it. */
  fatal?: string;
}
