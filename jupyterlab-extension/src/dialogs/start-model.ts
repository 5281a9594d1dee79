import {
  nameSchema,
  type PilotRecord,
  type RoutingPolicy,
  type ServiceApi,
  type ServiceDescription,
  serviceDescriptionSchema,
  type TemplateReport,
} from '@pilothouse/sdk/internal';
import { z } from 'zod';
import { describeInstances, type InstancesValue, instancesIssue, ONE_INSTANCE } from '../components/instances-field.js';
import { parseCommandLine } from '../format/argv.js';
import { isFinal } from '../format/state.js';
import type { FormValue } from './schema-form.js';

/** Stands for the template where somebody has a command of their own. */
export const OWN_COMMAND = '';

/** What the form for a new service holds. */
export interface StartModel {
  /** Name of the template; {@link OWN_COMMAND}: none, a command. */
  readonly template: string | null;
  readonly command: string;
  readonly api: ServiceApi;
  readonly name: string;
  readonly pilot: string | null;
  readonly cores: number;
  readonly gpus: number;
  readonly memory: string;
  readonly instances: InstancesValue;
  readonly params: FormValue;
  readonly policy: RoutingPolicy;
  readonly idle: string;
  readonly allowUnauthenticated: boolean;
}

export const FRESH: StartModel = {
  template: null,
  command: '',
  api: 'openai',
  name: '',
  pilot: null,
  cores: 1,
  gpus: 0,
  memory: '',
  instances: ONE_INSTANCE,
  params: {},
  policy: 'least-outstanding',
  idle: '',
  allowUnauthenticated: false,
};

/** The form with a template chosen: what it asks for by itself stands in the fields. */
export function withTemplate(model: StartModel, template: TemplateReport | null): StartModel {
  return {
    ...model,
    template: template?.name ?? OWN_COMMAND,
    cores: template?.resources.cores ?? 1,
    gpus: template?.resources.gpus ?? 0,
    memory: template?.resources.memory ?? '',
    params: {},
  };
}

/** Pilots that take something new. */
export function takingPilots(pilots: readonly PilotRecord[]): readonly PilotRecord[] {
  return pilots.filter((pilot) => !isFinal('pilot', pilot.state) && pilot.state !== 'DRAINING');
}

/** Which field stands against it. */
export type Refusal = 'template' | 'command' | 'pilot' | 'name' | 'params' | 'instances' | 'fields';

/** What will be asked for: a template, or a name of one's own for a command. */
export interface Asked {
  readonly what: string;
  readonly description: ServiceDescription;
}

const paramsSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

/** What will be asked for, or which field stands against it. */
export function describeStart(
  model: StartModel,
  templates: readonly TemplateReport[],
  pilots: readonly PilotRecord[],
): Asked | Refusal {
  const own = model.template === OWN_COMMAND;
  const template = templates.find((one) => one.name === model.template);
  if (!own && (template === undefined || !template.available || !template.launches)) return 'template';
  const line = own ? parseCommandLine(model.command) : null;
  if (line !== null && (line.words === null || line.words.length === 0)) return 'command';
  const pilot = pilots.find((one) => one.id === model.pilot) ?? pilots[0];
  if (pilot === undefined) return 'pilot';
  const named = model.name !== '';
  if ((own && !named) || (named && !nameSchema.safeParse(model.name).success)) return 'name';
  if (instancesIssue(model.instances) !== null) return 'instances';
  const params = paramsSchema.safeParse(template === undefined ? {} : withoutPresets(model.params, template.params));
  if (!params.success || (template !== undefined && missing(model.params, template).length > 0)) return 'params';
  const resources = resourcesOf(model, template);
  const instances = describeInstances(model.instances);
  const description: ServiceDescription = {
    ...(named && !own ? { name: model.name } : {}),
    ...(line === null || line.words === null ? {} : { command: [...line.words], api: model.api }),
    ...(Object.keys(params.data).length === 0 ? {} : { params: params.data }),
    ...(resources === null ? {} : { resources }),
    ...(instances === undefined ? {} : { instances }),
    ...(model.policy === FRESH.policy ? {} : { routing: { policy: model.policy } }),
    ...(model.idle === '' ? {} : { lifetime: { idle: model.idle } }),
    ...(model.allowUnauthenticated ? { allowUnauthenticated: true } : {}),
    pilot: pilot.name,
  };
  if (!serviceDescriptionSchema.safeParse(description).success) return 'fields';
  return { what: own ? model.name : (template?.name ?? ''), description };
}

/** Parameters that a template cannot do without. */
export function needed({ params: { required } }: TemplateReport): readonly string[] {
  return Array.isArray(required) ? required.filter((name): name is string => typeof name === 'string') : [];
}

function missing(params: FormValue, template: TemplateReport): readonly string[] {
  return needed(template).filter((name) => params[name] === undefined || params[name] === '');
}

/** Resources that differ from what one gets anyway; null: none do. */
function resourcesOf(model: StartModel, template: TemplateReport | undefined): ServiceDescription['resources'] | null {
  const usual = template?.resources ?? { cores: 1, gpus: 0, memory: undefined };
  const memory = model.memory === '' ? undefined : model.memory;
  if (model.cores === usual.cores && model.gpus === usual.gpus && memory === usual.memory) return null;
  return {
    cores: model.cores,
    ...(model.gpus === 0 ? {} : { gpus: model.gpus }),
    ...(memory === undefined ? {} : { memory }),
  };
}

/** Parameters that differ from what the template takes by itself. */
function withoutPresets(params: FormValue, schema: TemplateReport['params']): FormValue {
  const properties: object =
    typeof schema.properties === 'object' && schema.properties !== null ? schema.properties : {};
  const presets = new Map<string, unknown>(
    Object.entries(properties).map(([name, property]: [string, unknown]) => [
      name,
      typeof property === 'object' && property !== null && 'default' in property ? property.default : undefined,
    ]),
  );
  return Object.fromEntries(
    Object.entries(params).filter(
      ([name, value]) => value !== undefined && value !== '' && value !== presets.get(name),
    ),
  );
}
