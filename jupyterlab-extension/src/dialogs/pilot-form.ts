import type { TranslationBundle } from '@jupyterlab/translation';
import {
  type EngineReport,
  formatBytes,
  formatSeconds,
  type PilotDescription,
  pilotDescriptionSchema,
  toBytes,
  toSeconds,
} from '@pilothouse/sdk/internal';
import type { RJSFSchema } from '@rjsf/utils';
import { type FieldIssue, formSchema, zodIssues } from './json-schema.js';
import type { FormUi, FormValue } from './schema-form.js';

const SCHEMA = formSchema(pilotDescriptionSchema);

/** The form's schema with the titles and limits of the engines that are here. */
export function pilotFormSchema(
  engines: readonly EngineReport[],
  chosen: EngineReport | undefined,
  trans: TranslationBundle,
): RJSFSchema {
  const properties: Record<string, object> = {};
  for (const [name, property] of Object.entries(SCHEMA.properties ?? {})) {
    if (typeof property !== 'object') continue;
    const limit = chosen === undefined ? null : hint(name, chosen, trans);
    properties[name] = {
      ...property,
      ...(limit === null ? {} : { description: [property.description, limit].filter(Boolean).join('. ') }),
    };
  }
  properties.engine = {
    type: 'string',
    title: trans.__('Where'),
    default: 'local',
    oneOf: engines.map((engine) => ({ const: engine.name, title: engine.title })),
    ...(chosen === undefined ? {} : { description: chosen.reason ?? chosen.evidence }),
  };
  return { ...SCHEMA, title: '', description: '', properties };
}

/** Order and widgets of the form; engines that cannot be used here are greyed. */
export function pilotUiSchema(engines: readonly EngineReport[], chosen: EngineReport | undefined): FormUi {
  return {
    'ui:order': ['engine', 'name', 'cores', 'gpus', 'memory', 'nodes', 'runtime', 'idleAfter'],
    engine: {
      'ui:enumDisabled': engines.filter((engine) => !engine.available).map((engine) => engine.name),
    },
    name: { 'ui:placeholder': 'demo' },
    memory: { 'ui:placeholder': '4GiB' },
    idleAfter: { 'ui:placeholder': '15m' },
    // A field with one possible value asks for nothing.
    ...(chosen !== undefined && chosen.limits.gpus === 0 ? { gpus: { 'ui:widget': 'hidden' } } : {}),
    ...(chosen !== undefined && chosen.limits.nodes === 1 ? { nodes: { 'ui:widget': 'hidden' } } : {}),
  };
}

function hint(field: string, engine: EngineReport, trans: TranslationBundle): string | null {
  const { limits, held } = engine;
  switch (field) {
    case 'cores':
      return trans.__('At most %1 here, %2 free now', limits.cores, Math.max(0, limits.cores - held.cores));
    case 'gpus':
      return trans.__('At most %1 here, %2 free now', limits.gpus, Math.max(0, limits.gpus - held.gpus));
    case 'memory':
      return trans.__('At most %1 here', formatBytes(limits.memory));
    case 'runtime':
      return limits.runtime === null ? null : trans.__('At most %1 here', formatSeconds(limits.runtime));
    default:
      return null;
  }
}

/** Everything that stands against this description, field by field: what is wrong in one hides nothing of another. */
export function pilotIssues(
  value: FormValue,
  engine: EngineReport | undefined,
  trans: TranslationBundle,
): readonly FieldIssue[] {
  const issues = zodIssues(pilotDescriptionSchema, value);
  if (engine === undefined) return issues;
  const { limits, title } = engine;
  if (!engine.available) {
    issues.push({ path: ['engine'], message: engine.reason ?? trans.__('%1 cannot be used here.', title) });
  }
  const { shape } = pilotDescriptionSchema;
  const over = (field: string, amount: number | undefined, limit: number | null, written: string): void => {
    if (limit !== null && amount !== undefined && amount > limit) {
      issues.push({ path: [field], message: trans.__('%1: at most %2.', title, written) });
    }
  };
  const { cores, gpus, nodes } = limits;
  over('cores', shape.cores.safeParse(value.cores).data, cores, trans._n('%1 core', '%1 cores', cores));
  over('gpus', shape.gpus.safeParse(value.gpus).data, gpus, trans._n('%1 GPU', '%1 GPUs', gpus));
  over('nodes', shape.nodes.safeParse(value.nodes).data, nodes, trans._n('%1 node', '%1 nodes', nodes));
  const memory = shape.memory.safeParse(value.memory).data;
  over('memory', memory === undefined ? undefined : toBytes(memory), limits.memory, formatBytes(limits.memory));
  const runtime = shape.runtime.safeParse(value.runtime).data;
  const seconds = runtime === undefined ? undefined : toSeconds(runtime);
  over('runtime', seconds, limits.runtime, formatSeconds(limits.runtime ?? 0));
  return issues;
}

/** The description as somebody would write it: what equals the default is left out, cores and runtime excepted. */
export function withoutDefaults(description: PilotDescription): PilotDescription {
  const { name, engine, cores, gpus, memory, nodes, runtime, idleAfter } = description;
  const preset = pilotDescriptionSchema.parse({});
  return {
    ...(name === undefined ? {} : { name }),
    ...(engine === undefined || engine === preset.engine ? {} : { engine }),
    ...(cores === undefined ? {} : { cores }),
    ...(gpus === undefined || gpus === preset.gpus ? {} : { gpus }),
    ...(memory === undefined ? {} : { memory }),
    ...(nodes === undefined || nodes === preset.nodes ? {} : { nodes }),
    ...(runtime === undefined ? {} : { runtime }),
    ...(idleAfter === undefined ? {} : { idleAfter }),
  };
}
