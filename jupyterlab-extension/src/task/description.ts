import type { TranslationBundle } from '@jupyterlab/translation';
import {
  type FunctionCall,
  formatBytes,
  formatSeconds,
  type TaskDescription,
  taskDescriptionSchema,
  toBytes,
  toSeconds,
} from '@pilothouse/sdk/internal';
import { commandLine } from '../format/argv.js';

/** One line about a task: a name and what it says. */
export interface Fact {
  readonly name: string;
  readonly value: string;
}

/** What a task does, in one line. */
export function whatItDoes(description: Pick<TaskDescription, 'command' | 'call'>): string {
  if (description.call !== undefined) return functionName(description.call);
  return commandLine(description.command ?? []);
}

/** A function by the name that people gave it. */
export function functionName({ function: called }: FunctionCall): string {
  if ('python' in called) return `${called.python}()`;
  if ('module' in called) return `${called.export}() · ${called.module}`;
  return `${called.name}()`;
}

/** The description in words: what was asked for, without what is as it always is. */
export function descriptionFacts(description: TaskDescription, trans: TranslationBundle): Fact[] {
  const facts: Fact[] = [];
  const add = (name: string, value: string | number | undefined): void => {
    if (value !== undefined && value !== '') facts.push({ name, value: String(value) });
  };
  const list = (name: string, values: readonly string[] | undefined): void => add(name, values?.join(', '));
  add(description.call === undefined ? trans.__('Command') : trans.__('Function'), whatItDoes(description));
  add(trans.__('Cores'), description.cores);
  if (description.gpus) add(trans.__('GPUs'), description.gpus);
  if (description.memory !== undefined) add(trans.__('Memory'), formatBytes(toBytes(description.memory)));
  add(trans.__('Nodes'), description.nodes);
  add(trans.__('MPI ranks'), description.ranks);
  add(trans.__('Environment'), environmentWord(description.environment));
  add(trans.__('Variables'), pairs(description.env));
  list(trans.__('Setup'), description.setup);
  if (description.sandbox) add(trans.__('Folder'), trans.__('its own'));
  if (description.priority) add(trans.__('Priority'), description.priority);
  list(trans.__('Tags'), description.tags);
  list(trans.__('On a node with'), description.near);
  list(trans.__('On no node with'), description.apart);
  if (description.expectedDuration !== undefined) {
    add(trans.__('Takes about'), formatSeconds(toSeconds(description.expectedDuration)));
  }
  if (description.maxDuration !== undefined)
    add(trans.__('At most'), formatSeconds(toSeconds(description.maxDuration)));
  add(trans.__('Retries'), retriesWord(description.retries, trans));
  list(
    trans.__('After'),
    description.after?.map((one) => (typeof one === 'string' ? one : `${one.task} (${one.when ?? 'done'})`)),
  );
  list(trans.__('Services'), description.services);
  list(trans.__('Stages in'), description.stageIn?.map(staged));
  list(trans.__('Stages out'), description.stageOut?.map(staged));
  list(trans.__('Needs the files'), description.inputs);
  add(trans.__('Checkpoint'), description.checkpoint);
  add(trans.__('Notes'), pairs(description.metadata));
  return facts;
}

function environmentWord(environment: TaskDescription['environment']): string | undefined {
  if (environment === undefined) return undefined;
  if ('conda' in environment) return `conda ${environment.conda}`;
  if ('venv' in environment) return `venv ${environment.venv}`;
  if ('modules' in environment) return `module load ${environment.modules.join(' ')}`;
  return `${environment.container.runtime ?? 'apptainer'} ${environment.container.image}`;
}

function retriesWord(retries: TaskDescription['retries'], trans: TranslationBundle): string | undefined {
  if (retries === undefined || retries === 0) return undefined;
  if (typeof retries === 'number') return trans._n('once', '%1 times', retries);
  const parts = [trans._n('once', '%1 times', retries.max)];
  if (retries.on !== undefined) parts.push(trans.__('on %1', retries.on.join(', ')));
  if (retries.onOom !== undefined) parts.push(trans.__('with memory %1', String(retries.onOom.memory)));
  return parts.join(', ');
}

function staged({ from, to, action }: { from: string; to?: string | undefined; action?: string | undefined }): string {
  return `${from} → ${to ?? './'}${action === undefined ? '' : ` (${action})`}`;
}

function pairs(values: Readonly<Record<string, unknown>> | undefined): string | undefined {
  if (values === undefined) return undefined;
  return Object.entries(values)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
}

/** The description as somebody would write it: what equals a default is left out. */
export function writtenDescription(description: TaskDescription): TaskDescription {
  const plain = taskDescriptionSchema.safeParse({ command: ['true'] });
  const presets = new Map<string, string>(
    plain.success ? Object.entries(plain.data).map(([key, value]) => [key, JSON.stringify(value)]) : [],
  );
  const entries = Object.entries(description).filter(
    ([key, value]) => value !== undefined && (key === 'command' || presets.get(key) !== JSON.stringify(value)),
  );
  const written = taskDescriptionSchema.safeParse(Object.fromEntries(entries));
  // Parsing would put the defaults back; it only says that nothing that is needed was left out.
  return written.success ? Object.fromEntries(entries) : description;
}
