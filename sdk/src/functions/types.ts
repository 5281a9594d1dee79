import type { CommonInput } from '../client/task-types.js';
import type { FunctionReference } from '../schemas/index.js';
import type { EncodedArguments } from './data.js';
import type { InputOf, StandardSchema } from './standard-schema.js';

/** Where a function lies: something that a worker can import. */
export type FunctionLocation =
  | {
      /** `module:function`; the caller's folder comes first on the path. */
      readonly python: string;
      /** Interpreter; default: the caller's. */
      readonly interpreter?: string | undefined;
      readonly module?: undefined;
      readonly export?: undefined;
    }
  | {
      /** Absolute path or file URL of a module: `import.meta.resolve('./tile.ts')`. Runs on Node 24. */
      readonly module: string;
      /** Name of its export. */
      readonly export: string;
      readonly python?: undefined;
    };

/** What goes into a function: its argument or, as a tuple, its arguments. */
export interface TakesInput<I extends StandardSchema> {
  readonly input: I;
}

/** What comes out of a function. */
export interface GivesOutput<O extends StandardSchema> {
  readonly output: O;
}

/** A function as users define it: where it lies and, checked on both ends, what goes in and comes out. */
export type FunctionDefinition = FunctionLocation & Partial<TakesInput<StandardSchema> & GivesOutput<StandardSchema>>;

/** A tuple is several arguments, all else is one. */
export type ArgumentsOf<I extends StandardSchema> = ArgumentsFrom<InputOf<I>>;
// Told apart by what fits into it and not by `length`: without `strict` (tslab) zod's tuples are open-ended.
type ArgumentsFrom<Input> = Input extends readonly (infer Item)[]
  ? readonly Item[] extends Readonly<Input>
    ? [input: Input]
    : Input
  : [input: Input];

/** What a call of a function needs, and how it is run: any of a task's fields that make sense for a call. */
export type FunctionOptions = Pick<
  CommonInput,
  | 'pilot'
  | 'cores'
  | 'gpus'
  | 'memory'
  | 'priority'
  | 'tags'
  | 'env'
  | 'environment'
  | 'cwd'
  | 'services'
  | 'retries'
  | 'maxDuration'
  | 'expectedDuration'
>;

/** A function that runs in warm workers, typed on both ends; see `defineFunction`. */
export interface DefinedFunction<Arguments extends readonly unknown[] = readonly unknown[], Result = unknown> {
  /** `scoring.score`, `tile` */
  readonly name: string;
  readonly reference: FunctionReference;
  readonly interpreter: string | undefined;
  readonly options: FunctionOptions;
  /** The same function with other needs; they come on top of those it has. */
  with(options: FunctionOptions): DefinedFunction<Arguments, Result>;
  /** Arguments as they travel; throws INVALID_DESCRIPTION for what the schema refuses, FUNCTION_NOT_SENDABLE for what is no data. */
  readonly encode: (args: readonly unknown[]) => EncodedArguments | Promise<EncodedArguments>;
  /** One item of a `map` as arguments. */
  readonly encodeItem: (item: unknown) => EncodedArguments | Promise<EncodedArguments>;
  /** What came back, checked; throws INVALID_RESULT. */
  readonly decode: (value: unknown) => Result | Promise<Result>;
  /** Carries the types; never there. */
  readonly types?: { readonly arguments: Arguments; readonly result: Result };
}

/** What `map` takes for one call: the argument or, where there are several, all of them. */
export type MapItem<Arguments extends readonly unknown[]> = Arguments extends readonly [infer Only]
  ? Only
  : number extends Arguments['length']
    ? unknown
    : Arguments;
