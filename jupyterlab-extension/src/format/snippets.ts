import type {
  AttachDescription,
  PilotDescription,
  RequestOptions,
  ServiceDescription,
  ServiceRecord,
  ServiceRequestInput,
  TaskDescription,
} from '@pilothouse/sdk/internal';
import type { ThingKind } from '../things.js';
import { callShape, exampleRequest } from './request-code.js';

/** Languages that code can be written in for people. */
export type Language = 'python' | 'tslab' | 'deno';

/** What a piece of code is about. */
export type Subject =
  | { readonly kind: 'pilot'; readonly name: string }
  | {
      readonly kind: 'service';
      readonly name: string;
      /** What it is asked; absent: it is only shown. */
      readonly ask?: { readonly request: ServiceRequestInput; readonly options: RequestOptions };
    }
  | { readonly kind: 'batch'; readonly id: string }
  | { readonly kind: 'task'; readonly id: string }
  | { readonly kind: 'set'; readonly id: string }
  | { readonly kind: 'example' }
  | { readonly kind: 'new-task'; readonly description: TaskDescription }
  | { readonly kind: 'new-pilot'; readonly description: PilotDescription }
  | { readonly kind: 'new-service'; readonly template: string | null; readonly description: ServiceDescription }
  | { readonly kind: 'attach'; readonly description: AttachDescription };

/** The subject of a thing that is there: tasks and batches by their ids, since many may have one name. */
export function subjectOf(kind: ThingKind, thing: { readonly id: string; readonly name: string }): Subject {
  return kind === 'pilot' || kind === 'service' ? { kind, name: thing.name } : { kind, id: thing.id };
}

/** A service with what it is asked: what is given, else an example of what it takes. */
export function serviceSubject(
  service: Pick<ServiceRecord, 'name' | 'api' | 'methods' | 'model'>,
  ask: { readonly request: ServiceRequestInput; readonly options: RequestOptions } | null = exampleRequest(service),
): Subject {
  return { kind: 'service', name: service.name, ...(ask === null ? {} : { ask }) };
}

/** Code that a user can run as it is, in a cell of that kernel. */
export function snippet(subject: Subject, language: Language): string {
  return language === 'python' ? python(subject) : typescript(subject);
}

function python(subject: Subject): string {
  const body = pythonBody(subject);
  return ['import pilothouse as ph', 's = ph.connect()', ...body].join('\n');
}

function pythonBody(subject: Subject): string[] {
  switch (subject.kind) {
    case 'pilot':
      return [`pilot = s.pilots.get(${quote(subject.name)})`, 'pilot'];
    case 'service':
      return [`llm = s.services.get(${quote(subject.name)})`, pythonCall(subject)];
    case 'batch':
      return [`batch = s.batches.get(${quote(subject.id)})`, 'batch'];
    case 'task':
      return [`task = s.tasks.get(${quote(subject.id)})`, 'task'];
    case 'set':
      return [`tasks = s.tasks.set(${quote(subject.id)})`, 'tasks'];
    case 'example':
      return ['task = s.tasks.submit(["hostname"])', 'task'];
    case 'new-task': {
      const { command = [], call: _call, ...rest } = subject.description;
      return [`task = s.tasks.submit(${[pythonValue(command), ...pythonArguments(rest)].join(', ')})`, 'task'];
    }
    case 'new-pilot': {
      const { name, ...rest } = subject.description;
      const args = pythonArguments(rest);
      return name === undefined
        ? [`pilot = s.pilots.submit(${args.join(', ')})`, 'pilot']
        : [`pilot = s.pilots.ensure(${[quote(name), ...args].join(', ')})`, 'pilot'];
    }
    case 'new-service': {
      const { first, rest } = ensured(subject);
      return [`llm = s.services.ensure(${[quote(first), ...pythonArguments(rest)].join(', ')})`, 'llm'];
    }
    case 'attach':
      return [`llm = s.services.attach(${pythonArguments(subject.description).join(', ')})`, 'llm'];
  }
}

/** How `ensure` names a new service: by its template, unless it is called differently or has none. */
function ensured({ template, description }: Extract<Subject, { kind: 'new-service' }>): {
  readonly first: string;
  readonly rest: object;
} {
  const { name, template: _template, ...rest } = description;
  if (template === null) return { first: name ?? 'service', rest };
  return name === undefined || name === template
    ? { first: template, rest }
    : { first: name, rest: { template, ...rest } };
}

function pythonCall({ ask }: Extract<Subject, { kind: 'service' }>): string {
  if (ask === undefined) return 'llm';
  const { method, args, options } = callShape(ask.request, ask.options);
  return `llm.${method}(${[...args.map(pythonValue), ...pythonArguments(options)].join(', ')})`;
}

function pythonArguments(value: object): string[] {
  return entries(value).map(([key, item]) => `${snake(key)}=${pythonLimits(key, item) ?? pythonValue(item)}`);
}

/** Limits of instances are a pair in Python. */
function pythonLimits(key: string, value: unknown): string | null {
  if (key !== 'instances' || typeof value !== 'object' || value === null) return null;
  const { min = 1, max, ...more }: { min?: unknown; max?: unknown } = value;
  return Object.keys(more).length === 0 ? `(${pythonValue(min)}, ${pythonValue(max)})` : null;
}

function pythonValue(value: unknown): string {
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (value === null || value === undefined) return 'None';
  if (Array.isArray(value)) return `[${value.map(pythonValue).join(', ')}]`;
  if (typeof value === 'object') {
    return `{${given(value)
      .map(([key, item]) => `${quote(key)}: ${pythonValue(item)}`)
      .join(', ')}}`;
  }
  return typeof value === 'string' ? quote(value) : String(value);
}

function typescript(subject: Subject): string {
  return [
    "import { connect } from '@pilothouse/sdk/node';",
    "import { show } from '@pilothouse/sdk/notebook';",
    'const session = await connect();',
    ...typescriptBody(subject),
  ].join('\n');
}

function typescriptBody(subject: Subject): string[] {
  switch (subject.kind) {
    case 'pilot':
      return [`const pilot = await session.pilots.get(${single(subject.name)});`, 'show(pilot);'];
    case 'service':
      return [`const llm = await session.services.get(${single(subject.name)});`, typescriptCall(subject)];
    case 'batch':
      return [`const batch = await session.batches.get(${single(subject.id)});`, 'show(batch);'];
    case 'task':
      return [`const task = await session.tasks.get(${single(subject.id)});`, 'show(task);'];
    case 'set':
      return [`const tasks = await session.tasks.set(${single(subject.id)});`, 'show(tasks);'];
    case 'example':
      return ["const task = await session.tasks.submit({ command: ['hostname'] });", 'show(task);'];
    case 'new-task':
      return [`const task = await session.tasks.submit(${typescriptValue(subject.description)});`, 'show(task);'];
    case 'new-pilot': {
      const { name, ...rest } = subject.description;
      const call =
        name === undefined ? `submit(${typescriptValue(rest)})` : `ensure(${single(name)}, ${typescriptValue(rest)})`;
      return [`const pilot = await session.pilots.${call};`, 'show(pilot);'];
    }
    case 'new-service': {
      const { first, rest } = ensured(subject);
      const args = [single(first), ...(entries(rest).length > 0 ? [typescriptValue(rest)] : [])];
      return [`const llm = await session.services.ensure(${args.join(', ')});`, 'show(llm);'];
    }
    case 'attach':
      return [`const llm = await session.services.attach(${typescriptValue(subject.description)});`, 'show(llm);'];
  }
}

function typescriptCall({ ask }: Extract<Subject, { kind: 'service' }>): string {
  if (ask === undefined) return 'show(llm);';
  const { method, args, options } = callShape(ask.request, ask.options);
  const given = [...args, ...(entries(options).length === 0 ? [] : [options])];
  return `show(llm.${method}(${given.map(typescriptValue).join(', ')}));`;
}

function typescriptValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(typescriptValue).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const parts = given(value).map(
      ([key, item]) => `${/^[A-Za-z_$][\w$]*$/.test(key) ? key : single(key)}: ${typescriptValue(item)}`,
    );
    return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`;
  }
  return typeof value === 'string' ? single(value) : String(value);
}

/** Fields that say something: an empty object among arguments only repeats what one gets anyway. */
function entries(value: object): [string, unknown][] {
  return given(value).filter(([, item]) => !isEmptyObject(item));
}

function given(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, item]) => item !== undefined);
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}

function quote(text: string): string {
  return JSON.stringify(text);
}

/** A TypeScript literal in single quotes: JSON's escapes, with the quotes turned round. */
function single(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

function snake(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
