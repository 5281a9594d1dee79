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
import type { FormUi } from './schema-form.js';

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
    enum: engines.map((engine) => engine.name),
    ...(chosen === undefined ? {} : { description: chosen.reason ?? chosen.evidence }),
  };
  return { ...SCHEMA, title: '', description: '', properties };
}

/** Order and widgets of the form; engines that cannot be used here are greyed. */
export function pilotUiSchema(engines: readonly EngineReport[], chosen: EngineReport | undefined): FormUi {
  return {
    'ui:order': ['engine', 'name', 'cores', 'gpus', 'memory', 'nodes', 'runtime'],
    engine: {
      'ui:enumNames': engines.map((engine) => engine.title),
      'ui:enumDisabled': engines.filter((engine) => !engine.available).map((engine) => engine.name),
    },
    name: { 'ui:placeholder': 'demo' },
    memory: { 'ui:placeholder': '4GiB' },
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

/** Everything that stands against this description, field by field. */
export function pilotIssues(value: unknown, engine: EngineReport | undefined, trans: TranslationBundle): FieldIssue[] {
  const issues = zodIssues(pilotDescriptionSchema, value);
  const parsed = pilotDescriptionSchema.safeParse(value);
  if (!parsed.success || engine === undefined) return issues;
  const asked = parsed.data;
  const { limits, title } = engine;
  if (!engine.available) {
    issues.push({ path: ['engine'], message: engine.reason ?? trans.__('%1 cannot be used here.', title) });
  }
  const over = (field: string, amount: number, limit: number | null, written: string): void => {
    if (limit !== null && amount > limit) {
      issues.push({ path: [field], message: trans.__('%1: at most %2.', title, written) });
    }
  };
  over('cores', asked.cores, limits.cores, trans._n('%1 core', '%1 cores', limits.cores, limits.cores));
  over('gpus', asked.gpus, limits.gpus, trans._n('%1 GPU', '%1 GPUs', limits.gpus, limits.gpus));
  over('nodes', asked.nodes, limits.nodes, trans._n('%1 node', '%1 nodes', limits.nodes, limits.nodes));
  if (asked.memory !== undefined) {
    over('memory', toBytes(asked.memory), limits.memory, formatBytes(limits.memory));
  }
  over('runtime', toSeconds(asked.runtime), limits.runtime, formatSeconds(limits.runtime ?? 0));
  return issues;
}

/** The description as somebody would write it: what equals the default is left out, cores and runtime excepted. */
export function withoutDefaults(description: PilotDescription): PilotDescription {
  const { name, engine, cores, gpus, memory, nodes, runtime } = description;
  const preset = pilotDescriptionSchema.parse({});
  return {
    ...(name === undefined ? {} : { name }),
    ...(engine === undefined || engine === preset.engine ? {} : { engine }),
    ...(cores === undefined ? {} : { cores }),
    ...(gpus === undefined || gpus === preset.gpus ? {} : { gpus }),
    ...(memory === undefined ? {} : { memory }),
    ...(nodes === undefined || nodes === preset.nodes ? {} : { nodes }),
    ...(runtime === undefined ? {} : { runtime }),
  };
}
