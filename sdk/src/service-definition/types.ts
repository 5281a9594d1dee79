import type { InputOf, OutputOf, StandardSchema } from '../functions/standard-schema.js';

/** What goes into one method and comes out of it. Each may be of any library that speaks Standard Schema. */
export interface MethodDefinition<
  I extends StandardSchema = StandardSchema,
  O extends StandardSchema = StandardSchema,
  C extends StandardSchema | undefined = StandardSchema | undefined,
> {
  readonly input: I;
  readonly output: O;
  /** Of each piece, where the method answers in pieces before its value. */
  readonly chunk?: C;
  /** One sentence; shown in panels. */
  readonly description?: string | undefined;
}

/** Methods by name. */
export type MethodDefinitions = Readonly<Record<string, MethodDefinition>>;

/** Name of the one method of a service that is defined without `methods`. */
export const SINGLE_METHOD = 'call';

/** A service typed on both ends; see `defineService`. */
export interface DefinedService<M extends MethodDefinitions = MethodDefinitions, Single extends boolean = boolean> {
  readonly name: string;
  readonly methods: M;
  /** Whether it was defined without `methods`: its one method is then `call`. */
  readonly single: Single;
}

/** A service with one method, `call`. */
export type SingleService<M extends MethodDefinition = MethodDefinition> = DefinedService<{ readonly call: M }, true>;

/** What callers of a method give. */
export type MethodInput<M extends MethodDefinition> = InputOf<M['input']>;
/** What its handler gets: defaults filled in, values transformed. */
export type HandlerInput<M extends MethodDefinition> = OutputOf<M['input']>;
/** What its handler gives. */
export type HandlerOutput<M extends MethodDefinition> = InputOf<M['output']>;
/** What its callers get. */
export type MethodOutput<M extends MethodDefinition> = OutputOf<M['output']>;
/** One piece as callers get it; `never` for a method that answers at once. */
export type MethodChunk<M extends MethodDefinition> = M extends { readonly chunk: infer C extends StandardSchema }
  ? OutputOf<C>
  : never;
/** One piece as its handler gives it; `never` for a method that answers at once. */
export type HandlerChunk<M extends MethodDefinition> = M extends { readonly chunk: infer C extends StandardSchema }
  ? InputOf<C>
  : never;
