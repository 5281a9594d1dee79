import {
  type Detection,
  formatSeconds,
  type InstanceRecord,
  instanceStates,
  type ServiceRecord,
  shortId,
  stateWords,
  type TemplateReport,
  whySentence,
} from '@pilothouse/sdk/internal';
import type { RegistryFile } from '../../managers/registry-file.js';
import { ago, table } from '../table.js';

/** One service with its instances, for people. */
export function servicePage(service: ServiceRecord): string {
  const { name, id, state, api, model, scale, load, instances } = service;
  const why = whySentence(service);
  const lines = [
    `${name} (${shortId(id)}): ${stateWords[state] ?? state}, ${api}${model === null ? '' : `, model ${model}`}`,
    why ?? '',
    scale === null
      ? ''
      : `Instances: ${scale.wanted} of ${scale.min} to ${scale.max}${scale.why === null ? '' : ` (${scale.why})`}`,
    `Requests: ${load.outstanding} under way, ${load.queued} waiting, ${load.perSecond.toFixed(1)}/s${timesOf(load)}`,
    service.openToNode ? 'Open to users of this node: it asks for no key.' : '',
  ];
  return [...lines.filter((line) => line !== ''), '', instanceTable(instances)].join('\n');
}

function timesOf({ p50, p99 }: ServiceRecord['load']): string {
  return p50 === null ? '' : `, ${Math.round(p50)} ms median${p99 === null ? '' : `, ${Math.round(p99)} ms for 99 %`}`;
}

function instanceTable(instances: readonly InstanceRecord[]): string {
  if (instances.length === 0) return 'No instances.';
  const live = instances.filter(({ state }) => !instanceStates.isFinal(state));
  return table(
    ['INSTANCE', 'STATE', 'SINCE', 'ATTEMPT', 'UNDER WAY', 'READY IN', 'ADDRESS', 'WHY'],
    (live.length > 0 ? live : instances).map((instance) => {
      const { index, state, since, attempt, load, bootstrap, endpoint, draining, progress, reason } = instance;
      const took =
        bootstrap === null ? '' : formatSeconds((bootstrap.launch + bootstrap.init + bootstrap.publish) / 1000);
      const word = draining ? `${stateWords[state] ?? state}, emptied` : (stateWords[state] ?? state);
      const why = progress?.text ?? reason?.text ?? load?.why ?? '';
      const address = endpoint?.url ?? '';
      return [String(index), word, ago(since), String(attempt), String(load?.outstanding ?? 0), took, address, why];
    }),
  );
}

/** Templates for people: those that can be started here first. */
export function templateTable(templates: readonly TemplateReport[]): string {
  const sorted = [...templates].sort((a, b) => Number(b.available) - Number(a.available));
  return table(
    ['NAME', 'API', 'FROM', 'GPUS', 'HERE', 'WHAT'],
    sorted.map(({ name, api, source, resources, available, launches, description, reason }) => [
      name,
      api,
      source === 'builtin' ? 'Pilothouse' : source,
      String(resources.gpus),
      available ? (launches ? 'start' : 'attach') : 'no',
      available ? description : (reason ?? description),
    ]),
  );
}

/** Parameters of one template, for people. */
export function templatePage({ name, title, description, docs, params, resources }: TemplateReport): string {
  const properties = Object.entries(isObject(params.properties) ? params.properties : {});
  const required = new Set(Array.isArray(params.required) ? params.required : []);
  const rows = properties.map(([key, property]) => {
    const about = isObject(property) ? property : {};
    const fallback = about.default === undefined ? (required.has(key) ? 'needed' : '') : String(about.default);
    return [key, String(about.type ?? ''), fallback, [about.title, about.description].filter(Boolean).join('. ')];
  });
  const head = `${title} (${name}): ${description}\nEach instance: ${resources.cores} cores, ${resources.gpus} GPUs`;
  const tail = docs === null ? '' : `\n\nSee also ${docs}`;
  return `${head}\n\n${table(['PARAMETER', 'TYPE', 'DEFAULT', 'WHAT'], rows)}${tail}`;
}

/** What a look at an address has found, for people. */
export function detectionText({ api, base, models, asksForKey, evidence, remedy }: Detection): string {
  const found = api === null ? `No API was recognised at ${base}.` : `${base} speaks ${api}.`;
  const key = asksForKey === null ? [] : [asksForKey ? 'It asks for a key.' : 'It answers without a key.'];
  const list = models.length === 0 ? [] : [`Models: ${models.join(', ')}`];
  return [found, ...key, ...list, ...evidence.map((line) => `  ${line}`), ...(remedy === null ? [] : [remedy])].join(
    '\n',
  );
}

/** The services of the file in the state root, for people. */
export function registryTable({ services }: RegistryFile): string {
  if (services.length === 0) return 'No services.';
  return table(
    ['NAME', 'STATE', 'INSTANCE', 'STATE', 'ADDRESS', 'KEY'],
    services.flatMap(({ name, state, instances }) =>
      instances.length === 0
        ? [[name, state, '', '', '', '']]
        : instances.map((one) => [name, state, String(one.index), one.state, one.url, one.keyFile ?? 'none']),
    ),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
