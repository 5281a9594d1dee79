import {
  type Duration,
  PilothouseError,
  type ResolvedServiceDescription,
  type Resources,
  type TemplateReport,
  toSeconds,
} from '@pilothouse/sdk/internal';
import type { z } from 'zod';
import { look, type Surroundings } from './availability.js';
import { type Catalogue, readCatalogue, type Sourced, type TemplateFolder } from './catalogue.js';
import { parametersForm, parametersSchema } from './parameters.js';
import { renderPlan } from './render.js';
import { refuseSecrets } from './secrets.js';
import type { LaunchPlan } from './template.js';

/** Requests that one instance takes at a time where nobody said; more wait, in order. */
export const DEFAULT_CONCURRENCY = 64;

/** Where the relative paths of a description start from. */
export interface Place {
  readonly cwd: string;
  readonly home: string;
}

/** What an instance gets, and how long it may take, where neither user nor template says. */
const USUAL = { resources: { cores: 1, gpus: 0 }, startTimeout: '5m' } as const;

/** A description that says what each instance gets, and how long it may take. */
export interface CompleteDescription extends ResolvedServiceDescription {
  readonly resources: Resources;
  readonly startTimeout: Duration;
}

/** The services that can be started by name: files in three folders, read anew at each look. */
export class TemplateRegistry {
  constructor(
    private readonly folders: readonly TemplateFolder[],
    private readonly surroundings: Surroundings,
  ) {}

  catalogue(): Promise<Catalogue> {
    return readCatalogue(this.folders);
  }

  async has(name: string): Promise<boolean> {
    return (await this.catalogue()).templates.has(name);
  }

  /** Every template, and in their own rows the files that are none. */
  async report(): Promise<TemplateReport[]> {
    const { templates, bad } = await this.catalogue();
    const reports = await Promise.all(Array.from(templates.values(), (sourced) => this.#report(sourced)));
    return [
      ...reports,
      ...bad.map(
        ({ path, source, problem }): TemplateReport => ({
          name: path.slice(path.lastIndexOf('/') + 1).replace(/\.json$/, ''),
          title: path.slice(path.lastIndexOf('/') + 1),
          description: `The file ${path} is no template.`,
          api: 'any',
          source,
          launches: false,
          available: false,
          reason: `${path}: ${problem}`,
          resources: USUAL.resources,
          params: {},
          docs: null,
        }),
      ),
    ];
  }

  /**
   * The description with what its template says where it says nothing itself: resources, time to start, requests at a
   * time. Two that mean the same become the same.
   */
  async complete(description: ResolvedServiceDescription): Promise<CompleteDescription> {
    const { template: name, routing, resources, startTimeout } = description;
    const template = name === undefined ? undefined : (await this.catalogue()).templates.get(name)?.template;
    const usual: { readonly resources: Resources; readonly startTimeout: Duration } = template ?? USUAL;
    const memory = resources.memory ?? usual.resources.memory;
    const says = template?.concurrency;
    const values = template && parametersSchema(template).safeParse(description.params).data;
    const concurrency = routing.concurrency ?? (typeof says === 'string' ? values?.[says] : says);
    return {
      ...description,
      resources: {
        cores: resources.cores ?? usual.resources.cores,
        gpus: resources.gpus ?? usual.resources.gpus,
        ...(memory === undefined ? {} : { memory }),
      },
      startTimeout: startTimeout ?? usual.startTimeout,
      routing: typeof concurrency === 'number' ? { ...routing, concurrency } : routing,
    };
  }

  /**
   * How the service of a description is started.
   *
   * @throws PilothouseError INVALID_DESCRIPTION with the field, TEMPLATE_UNAVAILABLE, UNAUTHENTICATED_SERVICE
   */
  async plan(description: ResolvedServiceDescription, place: Place): Promise<LaunchPlan> {
    const { template: name, command } = description;
    if (name !== undefined && command !== undefined) {
      throw new PilothouseError('INVALID_DESCRIPTION', 'a service has a template or a command, not both', {
        hint: 'Leave one of them out.',
        field: 'command',
      });
    }
    const plan = command !== undefined ? commandPlan(description, command) : await this.#plan(name, description, place);
    refuseSecrets(description, plan);
    if (!plan.authenticated && plan.api !== 'any' && !description.allowUnauthenticated) {
      throw openServer(name);
    }
    return plan;
  }

  async #plan(name: string | undefined, description: ResolvedServiceDescription, place: Place): Promise<LaunchPlan> {
    if (name === undefined) {
      throw new PilothouseError('INVALID_DESCRIPTION', 'a service needs a template or a command', {
        hint: `Name a template (${await this.#names()}), or give the command that starts the server.`,
        field: 'template',
      });
    }
    const { template } = await this.#find(name);
    if (template.attach !== undefined) {
      throw new PilothouseError('TEMPLATE_UNAVAILABLE', `${template.title} is attached, not started`, {
        hint: template.attach,
      });
    }
    const values = parametersSchema(template).safeParse(description.params);
    if (!values.success) throw badParams(template.title, values.error);
    const found = await look(template, this.surroundings);
    if (typeof found === 'string') {
      throw new PilothouseError('TEMPLATE_UNAVAILABLE', `${template.title} cannot be started here`, { hint: found });
    }
    const { cores = template.resources.cores, gpus = template.resources.gpus } = description.resources;
    const service = description.name ?? name;
    const plan = renderPlan(template, { values: values.data, service, cores, gpus, found, ...place });
    return {
      ...plan,
      // What the template needs stands above what the user adds: without it the server does not start.
      env: { ...description.env, ...plan.env },
      environment: description.environment ?? plan.environment,
      setup: [...plan.setup, ...description.setup],
      model: description.model ?? plan.model,
      api: description.api ?? plan.api,
    };
  }

  async #report({ template, source }: Sourced): Promise<TemplateReport> {
    const found = await look(template, this.surroundings);
    return {
      name: template.name,
      title: template.title,
      description: template.attach === undefined ? template.description : `${template.description} ${template.attach}`,
      api: template.api,
      source,
      launches: template.command !== undefined,
      available: typeof found !== 'string',
      reason: typeof found === 'string' ? found : null,
      resources: template.resources,
      params: parametersForm(template),
      docs: template.docs ?? null,
    };
  }

  async #find(name: string): Promise<Sourced> {
    const { templates, bad } = await this.catalogue();
    const found = templates.get(name);
    if (found !== undefined) return found;
    const file = bad.find(({ path }) => path.endsWith(`/${name}.json`));
    throw new PilothouseError('INVALID_DESCRIPTION', `there is no template "${name}"`, {
      hint:
        file === undefined
          ? `Name one of ${await this.#names()}, or give the command that starts the server.`
          : `Correct ${file.path}: ${file.problem}`,
      field: 'template',
    });
  }

  async #names(): Promise<string> {
    return Array.from((await this.catalogue()).templates.keys()).join(', ');
  }
}

function commandPlan(description: ResolvedServiceDescription, command: readonly string[]): LaunchPlan {
  const { env, setup } = description;
  const words = [...command, ...setup, ...Object.values(env)];
  return {
    command,
    env,
    environment: description.environment,
    setup,
    needs: [],
    // Each instance of a service of one's own gets keys of its own, without being asked to.
    authenticated: description.api === 'zeromq' || words.some((word) => /\{apiKey(File)?\}/.test(word)),
    model: description.model ?? null,
    api: description.api ?? 'openai',
    concurrency: DEFAULT_CONCURRENCY,
    resources: USUAL.resources,
    startTimeout: toSeconds(USUAL.startTimeout),
    progress: [],
    checks: {},
  };
}

function openServer(template: string | undefined): PilothouseError {
  const what = template === undefined ? 'the command starts a server' : `${template} is a server`;
  const pass = template === undefined ? 'Pass it {apiKeyFile} (a generated key, in a file), or set' : 'Set';
  return new PilothouseError('UNAUTHENTICATED_SERVICE', `${what} that asks for no key`, {
    hint: `${pass} allowUnauthenticated: everybody on the node can use it then.`,
    field: template === undefined ? 'command' : 'allowUnauthenticated',
  });
}

function badParams(title: string, error: z.ZodError): PilothouseError {
  const [issue] = error.issues;
  const field = ['params', ...(issue?.path ?? [])].join('.');
  return new PilothouseError('INVALID_DESCRIPTION', `${field}: ${issue?.message ?? 'not valid'}`, {
    hint: `Change ${field}; see the parameters of ${title}.`,
    field,
    cause: error,
  });
}
