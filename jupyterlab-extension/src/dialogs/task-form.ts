import type { TranslationBundle } from '@jupyterlab/translation';
import { type TaskDescription, taskDescriptionSchema, taskFields } from '@pilothouse/sdk/internal';
import type { RJSFSchema } from '@rjsf/utils';
import { z } from 'zod';
import { parseCommandLine } from '../format/argv.js';
import { type FieldIssue, formSchema, zodIssues } from './json-schema.js';
import type { FormUi, FormValue } from './schema-form.js';

/** Fields of a description that the form asks for as they are. */
const ASKED = [
  'name',
  'cores',
  'gpus',
  'memory',
  'pilot',
  'cwd',
  'sandbox',
  'priority',
  'expectedDuration',
  'maxDuration',
] as const;

/** What the form asks for: a few fields in people's words, the others as the schema has them. */
const formFields = z.strictObject({
  commandLine: z.string().meta({
    title: 'Command',
    description: 'Program and arguments, quoted as in a terminal; no shell runs it. {cores} and {gpus} are filled in.',
  }),
  name: taskFields.name.meta({ title: 'Name' }),
  cores: taskFields.cores,
  gpus: taskFields.gpus,
  memory: taskFields.memory,
  retries: z.int().min(0).max(1000).default(0).meta({ title: 'Retries', description: 'Runs again so often by itself' }),
  pilot: taskFields.pilot.meta({ title: 'Pilot' }),
  environmentKind: z
    .enum(['caller', 'venv', 'conda', 'modules', 'apptainer', 'podman'])
    .default('caller')
    .meta({ title: 'Environment' }),
  environmentName: z.string().optional().meta({ title: 'Which one' }),
  setup: z
    .string()
    .optional()
    .meta({ title: 'Setup', description: 'Shell lines that run before the command, one a line' }),
  env: z.string().optional().meta({ title: 'Variables', description: 'NAME=value, one a line' }),
  cwd: taskFields.cwd.meta({ title: 'Folder', description: 'Empty: your home folder' }),
  sandbox: taskFields.sandbox,
  priority: taskFields.priority,
  expectedDuration: taskFields.expectedDuration,
  maxDuration: taskFields.maxDuration,
});

const SCHEMA = formSchema(formFields);

/** What stands in a form that nobody has used yet. */
export const FRESH: FormValue = { commandLine: '', cores: 1, gpus: 0, retries: 0, environmentKind: 'caller' };

/** The form's schema, with the pilots that can be chosen. */
export function taskFormSchema(
  pilots: readonly { readonly id: string; readonly name: string }[],
  trans: TranslationBundle,
): RJSFSchema {
  const properties: NonNullable<RJSFSchema['properties']> = {
    ...SCHEMA.properties,
    pilot: {
      type: 'string',
      title: trans.__('Pilot'),
      default: '',
      oneOf: [
        { const: '', title: trans.__('the first that has room') },
        ...pilots.map(({ id, name }) => ({ const: id, title: name })),
      ],
    },
    environmentKind: {
      type: 'string',
      title: trans.__('Environment'),
      default: 'caller',
      oneOf: [
        { const: 'caller', title: trans.__('as it is') },
        { const: 'venv', title: trans.__('virtual environment (venv)') },
        { const: 'conda', title: 'conda' },
        { const: 'modules', title: trans.__('modules') },
        { const: 'apptainer', title: trans.__('container (Apptainer)') },
        { const: 'podman', title: trans.__('container (Podman)') },
      ],
    },
  };
  return { ...SCHEMA, title: '', description: '', properties };
}

/** Order and widgets; what an environment is called is asked only where there is one. */
export function taskUiSchema(value: FormValue, more: boolean): FormUi {
  const hidden = { 'ui:widget': 'hidden' };
  const rare = more ? {} : hidden;
  const named = typeof value.environmentKind === 'string' && value.environmentKind !== 'caller';
  return {
    'ui:order': [
      'commandLine',
      'name',
      'cores',
      'gpus',
      'memory',
      'retries',
      'pilot',
      'environmentKind',
      'environmentName',
      'setup',
      'env',
      'cwd',
      'sandbox',
      'priority',
      'expectedDuration',
      'maxDuration',
    ],
    commandLine: { 'ui:placeholder': 'python prep.py --well A01' },
    name: { 'ui:placeholder': 'prep-A01' },
    memory: { 'ui:placeholder': '4GiB' },
    environmentName: named ? { 'ui:placeholder': PLACEHOLDERS[String(value.environmentKind)] ?? '' } : hidden,
    setup: more ? { 'ui:widget': 'textarea', 'ui:options': { rows: 2 } } : hidden,
    env: more ? { 'ui:widget': 'textarea', 'ui:options': { rows: 2 } } : hidden,
    cwd: rare,
    sandbox: rare,
    priority: rare,
    expectedDuration: { ...rare, 'ui:placeholder': '10m' },
    maxDuration: { ...rare, 'ui:placeholder': '1h' },
  };
}

const PLACEHOLDERS: Readonly<Record<string, string>> = {
  venv: '~/venvs/analysis',
  conda: 'analysis',
  modules: 'gcc/13 openmpi/5',
  apptainer: 'analysis.sif',
  podman: 'docker.io/library/python:3.12',
};

/** What the form says as a description, or what stands against it, field by field. */
export function describeTask(
  value: FormValue,
  trans: TranslationBundle,
): { readonly description: TaskDescription | null; readonly issues: readonly FieldIssue[] } {
  const issues: FieldIssue[] = [];
  const against = (field: string, message: string): void => void issues.push({ path: [field], message });
  const line = text(value.commandLine);
  const argv = parseCommandLine(line);
  if (argv.problem === 'quote') against('commandLine', trans.__('A quote (%1) is not closed.', argv.at));
  else if (argv.problem === 'escape') against('commandLine', trans.__('A backslash stands at the end.'));
  else if (argv.problem === 'shell') {
    against('commandLine', trans.__("No shell runs it, so “%1” means nothing. Write: bash -c '…'", argv.at));
  } else if (argv.words?.length === 0) against('commandLine', trans.__('Say what to run.'));
  const environment = environmentOf(value);
  if (environment === 'nameless') against('environmentName', trans.__('Say which one.'));
  const env = variables(text(value.env));
  if (env === null) against('env', trans.__('Write NAME=value, one a line.'));
  const asked = Object.fromEntries(
    ASKED.map((field): [string, unknown] => [field, value[field]]).filter(([, one]) => one !== '' && one !== undefined),
  );
  const whole = {
    ...asked,
    command: argv.words !== null && argv.words.length > 0 ? [...argv.words] : ['-'],
    ...(value.retries === undefined ? {} : { retries: value.retries }),
    ...(environment === null || environment === 'nameless' ? {} : { environment }),
    ...(env === null || Object.keys(env).length === 0 ? {} : { env }),
    ...(text(value.setup) === '' ? {} : { setup: lines(text(value.setup)) }),
  };
  const parsed = taskDescriptionSchema.safeParse(whole);
  if (!parsed.success) issues.push(...zodIssues(taskDescriptionSchema, whole));
  if (issues.length > 0 || !parsed.success) return { description: null, issues };
  return { description: parsed.data, issues };
}

function environmentOf(value: FormValue): TaskDescription['environment'] | null | 'nameless' {
  const kind = text(value.environmentKind);
  if (kind === '' || kind === 'caller') return null;
  const name = text(value.environmentName).trim();
  if (name === '') return 'nameless';
  if (kind === 'venv') return { venv: name };
  if (kind === 'conda') return { conda: name };
  if (kind === 'modules') return { modules: name.split(/[\s,]+/).filter(Boolean) };
  return { container: { image: name, runtime: kind === 'podman' ? 'podman' : 'apptainer' } };
}

/** `NAME=value`, one a line; null when a line is something else. */
function variables(written: string): Record<string, string> | null {
  const pairs = lines(written).map((line) => /^\s*([A-Za-z_]\w*)=(.*)$/.exec(line));
  if (pairs.some((pair) => pair === null)) return null;
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? '']));
}

function lines(written: string): string[] {
  return written.split('\n').filter((line) => line.trim() !== '');
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
