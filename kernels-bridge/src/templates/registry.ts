import {
  PilothouseError,
  type ResolvedServiceDescription,
  type Resources,
  type ServiceRecord,
  type TemplateReport,
} from '@pilothouse/sdk/internal';
import { z } from 'zod';
import type { LaunchPlan, Template } from './template.js';

/** Requests that one instance takes at a time where nobody said; more wait here, in order. */
const DEFAULT_CONCURRENCY = 64;

/** The services that can be started by name. */
export class TemplateRegistry {
  readonly #templates: ReadonlyMap<string, Template>;

  constructor(templates: readonly Template[]) {
    this.#templates = new Map(templates.map((template) => [template.name, template]));
  }

  has(name: string): boolean {
    return this.#templates.has(name);
  }

  async report(): Promise<TemplateReport[]> {
    return await Promise.all(
      Array.from(this.#templates.values(), async (template) => {
        const { name, title, description, resources } = template;
        const reason = await template.unavailable();
        const params = { ...z.toJSONSchema(template.params, { io: 'input', target: 'draft-7' }) };
        return { name, title, description, api: 'openai', source: 'builtin', launches: true, available: reason === null, reason, resources, params, docs: null };
      }),
    );
  }

  /** What an instance of a template gets where the description does not say. */
  resources(template: string): Resources {
    return this.#get(template).resources;
  }

  /**
   * How the service of a description is started.
   *
   * @throws PilothouseError INVALID_DESCRIPTION with the field, TEMPLATE_UNAVAILABLE, UNAUTHENTICATED_SERVICE
   */
  async plan(description: ResolvedServiceDescription): Promise<LaunchPlan> {
    const { template: name, command } = description;
    if (name !== undefined && command !== undefined) {
      throw new PilothouseError('INVALID_DESCRIPTION', 'a service has a template or a command, not both', {
        hint: 'Leave one of them out.',
        field: 'command',
      });
    }
    if (command !== undefined) return commandPlan(description, command);
    if (name === undefined) {
      throw new PilothouseError('INVALID_DESCRIPTION', 'a service needs a template or a command', {
        hint: `Name a template (${this.#names()}), or give the command that starts the server.`,
        field: 'template',
      });
    }
    const template = this.#get(name);
    const params = template.params.safeParse(description.params);
    if (!params.success) throw badParams(template, params.error);
    const reason = await template.unavailable();
    if (reason !== null) {
      throw new PilothouseError('TEMPLATE_UNAVAILABLE', `${template.title} cannot be started here`, { hint: reason });
    }
    const plan = await template.plan(description.params);
    return {
      ...plan,
      // What the template needs stands above what the user adds: without it the server does not start.
      env: { ...description.env, ...plan.env },
      model: description.model ?? plan.model,
    };
  }

  /** Requests that one instance of a service takes at a time. */
  concurrency(service: ServiceRecord): number {
    const template = service.template === null ? undefined : this.#templates.get(service.template);
    if (template === undefined || !('params' in service.description)) return DEFAULT_CONCURRENCY;
    return template.concurrency(service.description.params);
  }

  #get(name: string): Template {
    const template = this.#templates.get(name);
    if (template !== undefined) return template;
    throw new PilothouseError('INVALID_DESCRIPTION', `there is no template "${name}"`, {
      hint: `Name one of ${this.#names()}, or give the command that starts the server.`,
      field: 'template',
    });
  }

  #names(): string {
    return Array.from(this.#templates.keys()).join(', ');
  }
}

function commandPlan(description: ResolvedServiceDescription, command: readonly string[]): LaunchPlan {
  const words = [...command, ...Object.values(description.env)];
  const authenticated = words.some((word) => word.includes('{apiKeyFile}'));
  if (!authenticated && !description.allowUnauthenticated) {
    throw new PilothouseError('UNAUTHENTICATED_SERVICE', 'the command starts a server that asks for no key', {
      hint: 'Pass it {apiKeyFile} (a generated key, in a file), or set allowUnauthenticated: everybody on the node can use it then.',
      field: 'command',
    });
  }
  return {
    command,
    env: description.env,
    needs: [],
    authenticated,
    model: description.model ?? null,
    api: description.api ?? 'openai',
    concurrency: DEFAULT_CONCURRENCY,
    progress: [],
  };
}

function badParams(template: Template, error: z.ZodError): PilothouseError {
  const [issue] = error.issues;
  const field = ['params', ...(issue?.path ?? [])].join('.');
  return new PilothouseError('INVALID_DESCRIPTION', `${field}: ${issue?.message ?? 'not valid'}`, {
    hint: `Change ${field}; see the parameters of ${template.title}.`,
    field,
    cause: error,
  });
}
