import { PilothouseError } from '../errors/index.js';
import { type FunctionReference, functionSchema } from '../schemas/function.js';
import { functionName } from '../views/task-words.js';
import { type EncodedArguments, encodeArguments } from './data.js';
import { issuePath, type OutputOf, type SchemaResult, type StandardSchema } from './standard-schema.js';
import type {
  ArgumentsOf,
  DefinedFunction,
  FunctionDefinition,
  FunctionLocation,
  FunctionOptions,
  GivesOutput,
  TakesInput,
} from './types.js';

const HOW_TO_SEND =
  'Put the function into a file beside the notebook, export it, and name it: ' +
  "defineFunction({ module: import.meta.resolve('./tile.ts'), export: 'tile' }).";

/**
 * Names a function that workers run, with what goes in and comes out of it. `input` and `output` may be of any library
 * that speaks Standard Schema; types follow from them, and values are checked before they are sent and when they come
 * back. A tuple as `input` means several arguments.
 *
 * @throws PilothouseError FUNCTION_NOT_SENDABLE for a function of this program (a cell's, a closure): a worker can only
 *   import; INVALID_DESCRIPTION for a name that is none
 * @example
 * ```ts
 * const score = defineFunction({ python: 'scoring:score', input: z.string(), output: z.number() });
 * const value = await session.tasks.run(score, 'A01').result(); // number
 * ```
 */
export function defineFunction<I extends StandardSchema, O extends StandardSchema>(
  definition: FunctionLocation & TakesInput<I> & GivesOutput<O>,
): DefinedFunction<ArgumentsOf<I>, OutputOf<O>>;
export function defineFunction<I extends StandardSchema>(
  definition: FunctionLocation & TakesInput<I>,
): DefinedFunction<ArgumentsOf<I>, unknown>;
export function defineFunction<O extends StandardSchema>(
  definition: FunctionLocation & GivesOutput<O>,
): DefinedFunction<unknown[], OutputOf<O>>;
export function defineFunction(definition: FunctionLocation): DefinedFunction<unknown[], unknown>;
export function defineFunction(definition: FunctionDefinition): DefinedFunction {
  const given: unknown = definition;
  if (typeof given === 'function') throw notSendable(`The function ${given.name || 'given'} is part of this program.`);
  const reference = referenceOf(definition);
  const interpreter = definition.python === undefined ? undefined : definition.interpreter;
  return new Defined(reference, interpreter, definition.input, definition.output, {});
}

/** The function, or FUNCTION_NOT_SENDABLE for whatever else was given as one. */
export function asDefined<F extends DefinedFunction>(given: F): F {
  const value: unknown = given;
  if (value instanceof Defined) return given;
  throw notSendable(
    typeof value === 'function'
      ? `The function ${value.name || 'given'} is part of this program, and workers can only import.`
      : 'This is no function made by defineFunction().',
  );
}

class Defined implements DefinedFunction {
  readonly name: string;

  constructor(
    readonly reference: FunctionReference,
    readonly interpreter: string | undefined,
    readonly input: StandardSchema | undefined,
    readonly output: StandardSchema | undefined,
    readonly options: FunctionOptions,
  ) {
    this.name = functionName(reference);
  }

  with(options: FunctionOptions): DefinedFunction {
    return new Defined(this.reference, this.interpreter, this.input, this.output, { ...this.options, ...options });
  }

  readonly encode = (args: readonly unknown[]): EncodedArguments | Promise<EncodedArguments> => {
    if (this.input === undefined) return this.#sendable([...args]);
    return isTuple(this.input) || args.length !== 1 ? this.#several(this.input, args) : this.#one(this.input, args[0]);
  };

  readonly encodeItem = (item: unknown): EncodedArguments | Promise<EncodedArguments> => {
    if (this.input === undefined) return this.#sendable([item]);
    return isTuple(this.input) ? this.#several(this.input, item) : this.#one(this.input, item);
  };

  readonly decode = (value: unknown): unknown => {
    if (this.output === undefined) return value;
    return then(this.output['~standard'].validate(value), (result) => {
      if (result.issues === undefined) return result.value;
      const where = issuePath(result.issues[0] ?? { message: '' });
      throw new PilothouseError(
        'INVALID_RESULT',
        `${this.name} gave back something else than its output schema says${where ? `, at ${where}` : ''}: ${result.issues[0]?.message}`,
        {
          field: where === '' ? 'output' : `output.${where}`,
          hint: 'Correct the function or the schema; the task itself is DONE.',
          evidence: JSON.stringify(value)?.slice(0, 500),
        },
      );
    });
  };

  #one(schema: StandardSchema, value: unknown): EncodedArguments | Promise<EncodedArguments> {
    return then(schema['~standard'].validate(value), (result) => this.#sendable([this.#accepted(result)]));
  }

  #several(schema: StandardSchema, values: unknown): EncodedArguments | Promise<EncodedArguments> {
    return then(schema['~standard'].validate(values), (result) => {
      const accepted = this.#accepted(result);
      return this.#sendable(Array.isArray(accepted) ? accepted : [accepted]);
    });
  }

  #accepted(result: SchemaResult<unknown>): unknown {
    if (result.issues === undefined) return result.value;
    const [issue = { message: 'not valid' }] = result.issues;
    const where = issuePath(issue);
    const field = where === '' ? 'input' : `input.${where}`;
    throw new PilothouseError('INVALID_DESCRIPTION', `${this.name}, ${field}: ${issue.message}`, {
      field,
      hint: `Correct what is given to ${this.name}.`,
    });
  }

  #sendable(args: unknown[]): EncodedArguments {
    return encodeArguments(args, this.name);
  }
}

/** zod and Valibot both name the kind of a schema so. */
function isTuple(schema: StandardSchema): boolean {
  return Reflect.get(schema, 'type') === 'tuple';
}

function then<T, R>(value: T | Promise<T>, next: (value: T) => R): R | Promise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

function referenceOf(definition: FunctionDefinition): FunctionReference {
  if (definition.python !== undefined) {
    const reference = { python: definition.python };
    if (functionSchema.safeParse(reference).success) return reference;
    throw new PilothouseError('INVALID_DESCRIPTION', `python: "${definition.python}" names no function.`, {
      field: 'python',
      hint: 'Write module:function, such as scoring:score; methods and lambdas cannot be imported.',
    });
  }
  const { module, export: name } = definition;
  if (typeof module !== 'string' || typeof name !== 'string' || name === '') {
    throw notSendable('A function is named by { python: "module:function" } or by { module, export }.');
  }
  if (!module.startsWith('/') && !module.startsWith('file:///')) {
    throw notSendable(`module: "${module}" is no file that a worker could import.`, 'module');
  }
  return { module, export: name };
}

function notSendable(message: string, field?: string): PilothouseError {
  return new PilothouseError('FUNCTION_NOT_SENDABLE', message, { hint: HOW_TO_SEND, field });
}
