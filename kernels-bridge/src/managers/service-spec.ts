import {
  type Origin,
  type Port,
  PROBE_KINDS,
  type Probe,
  probeSchema,
  type ResolvedServiceDescription,
  type ServiceApi,
  type ServiceSpec,
  toBytes,
  toSeconds,
} from '@pilothouse/sdk/internal';
import type { Config } from '../config.js';
import type { CompleteDescription, LaunchPlan } from '../templates/index.js';
import { buildEnvironment, resolveDirectory } from './environment.js';

/** What a service of each API listens at where nobody said. */
const PORTS: Readonly<Record<ServiceApi, Port>> = {
  openai: { name: 'http', protocol: 'http' },
  ollama: { name: 'http', protocol: 'http' },
  'open-inference': { name: 'http', protocol: 'http' },
  rest: { name: 'http', protocol: 'http' },
  zeromq: { name: 'zmq', protocol: 'zmq' },
  'ru-zmq': { name: 'zmq', protocol: 'zmq' },
  any: { name: 'tcp', protocol: 'tcp' },
};

/** How a service of each API says that it is ready, where nobody said. */
const READINESS: Readonly<Record<ServiceApi, Partial<Probe>>> = {
  openai: { http: '/health' },
  ollama: { http: '/api/version' },
  'open-inference': { http: '/v2/health/ready' },
  rest: { tcp: true },
  zeromq: { zmq: true },
  'ru-zmq': { tcp: true },
  any: { tcp: true },
};

/** What a service has to be told beside its description. */
export interface SpecParts {
  readonly id: string;
  readonly name: string;
  readonly description: CompleteDescription;
  readonly plan: LaunchPlan;
  readonly origin: Origin;
  readonly instances: ServiceSpec['instances'];
  /** Ids in place of the references. */
  readonly after: readonly string[];
  readonly before: readonly string[];
}

/** A service as its agent gets it: every default filled in. */
export function specOf(config: Config, parts: SpecParts): ServiceSpec {
  const { id, name, description, plan, origin } = parts;
  const { resources, routing, lifetime, warmUp } = description;
  const cwd = resolveDirectory(config, origin, description.cwd);
  const concurrency = routing.concurrency ?? plan.concurrency;
  return {
    id,
    name,
    api: plan.api,
    command: [...plan.command],
    env: buildEnvironment(config, origin, plan.env),
    cwd,
    cores: resources.cores,
    gpus: resources.gpus,
    memory: resources.memory === undefined ? null : toBytes(resources.memory),
    environment: description.environment ?? null,
    setup: description.setup,
    instances: [...parts.instances],
    scale: scaleOf(description, concurrency),
    ports: [...portsOf(description, plan)],
    probes: probesOf(description, plan),
    startTimeout: toSeconds(description.startTimeout),
    restarts: restartsOf(description),
    warmUp: warmUp === undefined ? (plan.warmUp ?? null) : { ...warmUp, timeout: toSeconds(warmUp.timeout) },
    routing: { ...routing, concurrency },
    lifetime: { until: lifetime.until ?? null, idle: lifetime.idle === undefined ? null : toSeconds(lifetime.idle) },
    after: [...parts.after],
    before: [...parts.before],
    authenticated: plan.authenticated,
    needs: [...plan.needs],
    model: plan.model,
    files:
      description.files.length === 0 ? [cwd] : description.files.map((file) => resolveDirectory(config, origin, file)),
    progress: [...plan.progress],
  };
}

/** Ports of each instance: the description's, the template's, or what the API needs. */
export function portsOf(description: ResolvedServiceDescription, plan: LaunchPlan): readonly Port[] {
  return description.ports ?? plan.ports ?? [PORTS[plan.api]];
}

function probesOf(description: ResolvedServiceDescription, plan: LaunchPlan): ServiceSpec['probes'] {
  const { probes } = description;
  const readiness = probes.readiness ?? plan.probes?.readiness ?? defaultReadiness(description, plan);
  const startup = probes.startup ?? plan.probes?.startup ?? null;
  const liveness = probes.liveness ?? plan.probes?.liveness ?? aliveBy(readiness);
  return { startup, readiness, liveness };
}

/** A program that is told no port listens at none: that it runs is all there is to see. */
function defaultReadiness(description: ResolvedServiceDescription, plan: LaunchPlan): Probe {
  const words = [...plan.command, ...Object.values(plan.env), ...description.setup].join('\n');
  const listens = /\{port[:}]/.test(words) || description.ports?.some(({ port }) => port !== undefined) === true;
  const look = plan.api === 'any' && !listens ? { command: ['true'] } : READINESS[plan.api];
  return probeSchema.parse({ ...look, interval: '1s' });
}

/** Not ready ten times as long as makes it unready: then its process is given up. A line it wrote once says nothing about that. */
function aliveBy(readiness: Probe): Probe {
  if (readiness.pattern !== undefined) return probeSchema.parse({ command: ['true'] });
  const look = Object.fromEntries(PROBE_KINDS.map((kind) => [kind, readiness[kind]]));
  const { endpoint, interval, timeout, failures } = readiness;
  return probeSchema.parse({ ...look, endpoint, interval, timeout, failures: Math.min(failures * 10, 10_000) });
}

function scaleOf({ instances }: ResolvedServiceDescription, concurrency: number): ServiceSpec['scale'] {
  if (typeof instances === 'number') return null;
  const { min, max, target, upAfter, downAfter } = instances;
  return { min, max, target: target ?? concurrency, upAfter: toSeconds(upAfter), downAfter: toSeconds(downAfter) };
}

function restartsOf({ restarts }: ResolvedServiceDescription): ServiceSpec['restarts'] {
  if (typeof restarts === 'number') return { max: restarts, first: 1, factor: 2, longest: 30 };
  return { ...restarts, first: toSeconds(restarts.first), longest: toSeconds(restarts.longest) };
}
