import { isAbsolute, join } from 'node:path';
import { type ServiceSpec, toSeconds } from '@pilothouse/sdk/internal';
import type { Values } from './parameters.js';
import type { TemplateFile } from './schema.js';
import type { LaunchChecks, LaunchPlan } from './template.js';

/** What a template is filled with. */
export interface Filling {
  readonly values: Values;
  /** Name of the service. */
  readonly service: string;
  readonly cores: number;
  readonly gpus: number;
  /** What a finder has found, by `finder.word`. */
  readonly found: Readonly<Record<string, string>>;
  /** Folder that relative paths start from, and the user's home. */
  readonly cwd: string;
  readonly home: string;
}

/** The plan of a template with these values. */
export function renderPlan(template: TemplateFile, filling: Filling): LaunchPlan {
  const words = wordsOf(template, filling);
  const fill = (text: string): string => fillIn(text, words);
  const command = (template.command ?? []).flatMap((word) => {
    if (typeof word === 'string') return [fill(word)];
    return holds(word.when, words) ? word.words.map(fill) : [];
  });
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(template.env)) {
    if (typeof value === 'string') env[name] = fill(value);
    else if (holds(value.when, words)) env[name] = fill(value.value);
  }
  return {
    command,
    env,
    environment: template.environment,
    setup: template.setup,
    needs: template.needs.map(fill).filter((path) => isAbsolute(path)),
    authenticated: [...command, ...Object.values(env)].some((word) => /\{apiKey(File)?\}/.test(word)),
    model: template.model === undefined ? null : fill(template.model),
    api: template.api,
    concurrency: Number(typeof template.concurrency === 'string' ? words[template.concurrency] : template.concurrency),
    resources: template.resources,
    startTimeout: toSeconds(template.startTimeout),
    ...(template.ports === undefined ? {} : { ports: template.ports }),
    probes: template.probes,
    warmUp: warmUpOf(template, words),
    progress: template.progress,
    checks: checksOf(template, words),
  };
}

type Words = Readonly<Record<string, string | number | boolean | undefined>>;

function wordsOf({ parameters }: TemplateFile, filling: Filling): Words {
  const { values, found, service, cores, gpus, cwd, home } = filling;
  const words: Record<string, string | number | boolean | undefined> = { ...found, service, cores, gpus };
  for (const [name, value] of Object.entries(values)) {
    const parameter = parameters[name];
    const kind = parameter?.type === 'string' ? parameter.is : undefined;
    const isPath =
      typeof value === 'string' && (kind === 'path' ? value !== '' : kind === 'model' && /^[/~.]/.test(value));
    words[name] = isPath ? absolute(value, cwd, home) : value;
  }
  return words;
}

function absolute(path: string, cwd: string, home: string): string {
  if (path === '~' || path.startsWith('~/')) return join(home, path.slice(1));
  return isAbsolute(path) ? path : join(cwd, path);
}

function fillIn(text: string, words: Words): string {
  return text.replace(/\$\{([^}]*)\}/g, (_, name: string) => String(words[name] ?? ''));
}

function holds(condition: string, words: Words): boolean {
  const value = words[condition.replace('!', '')];
  const given = value !== undefined && value !== false && value !== 0 && value !== '';
  return condition.startsWith('!') ? !given : given;
}

function warmUpOf({ warmUp }: TemplateFile, words: Words): ServiceSpec['warmUp'] {
  if (warmUp === undefined) return null;
  const body: unknown = fillDeep(warmUp.body, words);
  return { ...warmUp, path: fillIn(warmUp.path, words), body, timeout: toSeconds(warmUp.timeout) };
}

function fillDeep(value: unknown, words: Words): unknown {
  if (typeof value === 'string') return fillIn(value, words);
  if (Array.isArray(value)) return value.map((one) => fillDeep(one, words));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, fillDeep(one, words)]));
}

function checksOf({ checks }: TemplateFile, words: Words): LaunchChecks {
  const { weights, context, sharedBy, strict, gpuShare } = checks;
  const at = weights === undefined ? undefined : words[weights];
  const tokens = context === undefined ? undefined : words[context];
  const requests = sharedBy === undefined ? 1 : Math.max(1, Number(words[sharedBy] ?? 1));
  const share = typeof gpuShare === 'string' ? words[gpuShare] : gpuShare;
  return {
    ...(typeof at === 'string' && weights !== undefined
      ? { weights: { at, isPath: isAbsolute(at), field: weights } }
      : {}),
    ...(typeof tokens === 'number' && context !== undefined
      ? { context: { tokens: Math.floor(tokens / requests), field: context, strict } }
      : {}),
    ...(typeof share === 'number' ? { gpuShare: share } : {}),
  };
}
