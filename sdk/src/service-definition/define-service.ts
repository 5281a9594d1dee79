import { PilothouseError } from '../errors/index.js';
import type { StandardSchema } from '../functions/standard-schema.js';
import { nameSchema } from '../ids/ids.js';
import {
  type DefinedService,
  type MethodDefinition,
  type MethodDefinitions,
  SINGLE_METHOD,
  type SingleService,
} from './types.js';

const METHOD_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/**
 * Describes a service of one's own, for whoever serves it and whoever calls it: types follow from the schemas, and values
 * are checked on both ends.
 *
 * @throws PilothouseError INVALID_DESCRIPTION for a name that is none, or a service without methods
 * @example
 * ```ts
 * export const doseResponse = defineService({
 *   name: 'dose-response',
 *   input: z.object({ dose: z.array(z.number()), response: z.array(z.number()) }),
 *   output: z.object({ ec50: z.number(), hill: z.number() }),
 * });
 * ```
 */
export function defineService<const M extends MethodDefinitions>(definition: {
  readonly name: string;
  readonly methods: M;
}): DefinedService<M, false>;
export function defineService<I extends StandardSchema, O extends StandardSchema, C extends StandardSchema>(
  definition: { readonly name: string } & MethodDefinition<I, O, C> & { readonly chunk: C },
): SingleService<MethodDefinition<I, O, C> & { readonly chunk: C }>;
export function defineService<I extends StandardSchema, O extends StandardSchema>(
  definition: { readonly name: string; readonly chunk?: undefined } & MethodDefinition<I, O, undefined>,
): SingleService<MethodDefinition<I, O, undefined>>;
export function defineService(
  definition: { readonly name: string } & ({ readonly methods: MethodDefinitions } | MethodDefinition),
): DefinedService {
  const { name } = definition;
  if (!nameSchema.safeParse(name).success) {
    throw refuse('name', `"${name}" is no name of a service.`, 'Use letters, digits, ".", "_" and "-".');
  }
  if (!('methods' in definition)) {
    const { input, output, chunk, description } = definition;
    const method: MethodDefinition = { input, output, chunk, description };
    checkMethod(SINGLE_METHOD, method);
    return { name, methods: { [SINGLE_METHOD]: method }, single: true };
  }
  const names = Object.keys(definition.methods);
  if (names.length === 0) throw refuse('methods', `The service ${name} has no method.`, 'Define at least one.');
  for (const [method, described] of Object.entries(definition.methods)) checkMethod(method, described);
  return { name, methods: definition.methods, single: false };
}

function checkMethod(name: string, method: MethodDefinition): void {
  if (!METHOD_NAME.test(name)) {
    throw refuse(`methods.${name}`, `"${name}" is no name of a method.`, 'Use letters, digits, "_" and "-".');
  }
  for (const role of ['input', 'output'] as const) {
    if (method[role]?.['~standard'] === undefined) {
      throw refuse(role, `${name}: its ${role} is no schema.`, 'Give a schema of zod, Valibot, ArkType or the like.');
    }
  }
}

function refuse(field: string, message: string, hint: string): PilothouseError {
  return new PilothouseError('INVALID_DESCRIPTION', message, { field, hint });
}
