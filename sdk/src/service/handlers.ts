import { PilothouseError } from '../errors/index.js';
import { type DefinedService, SINGLE_METHOD } from '../service-definition/index.js';
import type { BatchContext, CallContext } from './types.js';
import type { Grouping } from './work-queue.js';

/** Milliseconds. */
const BATCH_WINDOW = 2;
const LARGEST_BATCH = 4096;

/** How one method is answered, whatever its types were. */
export type ErasedHandler =
  | { readonly batch: false; readonly handle: (input: unknown, context: CallContext) => unknown }
  | { readonly batch: true; readonly handle: (inputs: unknown[], context: BatchContext) => unknown };

/** Handlers by method, and how their calls are grouped. */
export interface HandlerMap {
  readonly handlers: ReadonlyMap<string, ErasedHandler>;
  readonly groupings: ReadonlyMap<string, Grouping>;
}

/**
 * The handlers that were given, one per method.
 *
 * @throws PilothouseError INVALID_DESCRIPTION for a method without handler, a handler without method, a batch of nothing
 */
export function handlersOf(service: DefinedService, options: object): HandlerMap {
  const given = tableOf(service, options);
  const handlers = new Map<string, ErasedHandler>();
  const groupings = new Map<string, Grouping>();
  for (const name of Object.keys(service.methods)) {
    const { handler, batch } = partsOf(field(given, name));
    if (!isHandler(handler)) throw refuse(`handlers.${name}`, `The method ${name} of ${service.name} has no handler.`);
    const grouping = groupingOf(name, batch);
    handlers.set(name, { batch: grouping !== undefined, handle: handler });
    groupings.set(name, grouping ?? { max: 1, window: 0 });
  }
  for (const name of Object.keys(given)) {
    if (!handlers.has(name)) throw refuse(`handlers.${name}`, `${service.name} has no method "${name}".`);
  }
  return { handlers, groupings };
}

function tableOf(service: DefinedService, options: object): object {
  if (service.single) {
    const batch = field(options, 'batch');
    return { [SINGLE_METHOD]: batch === undefined ? field(options, 'handler') : { batch } };
  }
  const table = field(options, 'handlers');
  if (typeof table === 'object' && table !== null) return table;
  throw refuse('handlers', `${service.name} has several methods: give a handler for each.`);
}

function partsOf(given: unknown): { handler: unknown; batch: unknown } {
  const batch = typeof given === 'object' && given !== null ? field(given, 'batch') : undefined;
  if (typeof batch !== 'object' || batch === null) return { handler: given, batch: undefined };
  return { handler: field(batch, 'handler'), batch };
}

function groupingOf(method: string, batch: unknown): Grouping | undefined {
  if (batch === undefined) return undefined;
  const [max, window = BATCH_WINDOW] =
    typeof batch === 'object' && batch !== null ? [field(batch, 'max'), field(batch, 'window')] : [undefined];
  if (typeof max !== 'number' || !Number.isInteger(max) || max < 1 || max > LARGEST_BATCH) {
    throw refuse(`${method}.batch.max`, `A batch of ${method} takes 1 to ${LARGEST_BATCH} calls.`);
  }
  if (typeof window !== 'number' || !(window >= 0 && window <= 60_000)) {
    throw refuse(`${method}.batch.window`, `Calls of ${method} wait 0 to 60,000 milliseconds for others.`);
  }
  return { max, window };
}

function isHandler(value: unknown): value is (input: unknown, context: unknown) => unknown {
  return typeof value === 'function';
}

function field(of: object, name: string): unknown {
  return Reflect.get(of, name);
}

function refuse(path: string, message: string): PilothouseError {
  return new PilothouseError('INVALID_DESCRIPTION', message, {
    field: path,
    hint: 'Correct what is given to serve().',
  });
}
