import { errorDataSchema, type Payload, remoteExceptionSchema } from '@pilothouse/sdk/shared';
import { z } from 'zod';

/** How a call went: what it gave, what it raised, or why it could not be made. */
export type CallOutcome =
  | { readonly value: Payload }
  | { readonly exception: z.infer<typeof remoteExceptionSchema> }
  | { readonly refused: z.infer<typeof refusalSchema> };

const refusalSchema = z.object({ code: errorDataSchema.shape.code, message: z.string(), hint: z.string() });
const unhappySchema = z.union([z.object({ exception: remoteExceptionSchema }), z.object({ refused: refusalSchema })]);

/** A call that is over, as its worker tells it. */
export interface CallResult {
  readonly number: number;
  readonly runId: string;
  readonly outcome: CallOutcome;
  /** seconds */
  readonly wall: number;
  /** seconds of CPU time */
  readonly cpu: number;
  /** bytes, of the worker so far */
  readonly maxRss: number;
  /** The last of what it has printed. */
  readonly stdout: string;
  readonly stderr: string;
}

const rest = { results: z.array(z.unknown()) };

/** What a worker says. Results are read by {@link readResult}: there are thousands of them a second. */
export const workerMessageSchema = z.discriminatedUnion('type', [
  /** The first on each connection; with the results that an agent before this one may not have got. */
  z.object({
    type: z.literal('hello'),
    worker: z.string(),
    pid: z.int(),
    /** Of its language, as functions by value need it: 3.11. */
    version: z.string(),
    /** Highest number of a function that it knows. */
    functions: z.int(),
    /** It has seen that its sources have changed, and begins nothing more. */
    stale: z.boolean(),
    ...rest,
  }),
  z.object({ type: z.literal('results'), ...rest }),
  /** Calls up to this one, that were taken back, have been left out. */
  z.object({ type: z.literal('skipped'), upto: z.number() }),
  /** Modules have changed since they were imported: nothing from this call on has begun, and nothing will. */
  z.object({ type: z.literal('stale'), from: z.number() }),
]);
export type WorkerMessage = z.infer<typeof workerMessageSchema>;

/**
 * Reads `[number, run, outcome, wall, cpu, maxRss, stdout?, stderr?]`.
 *
 * @throws TypeError when it is anything else
 */
export function readResult(value: unknown): CallResult {
  if (!Array.isArray(value)) throw new TypeError('a result is a list');
  const [number, runId, outcome, wall, cpu, maxRss, stdout = '', stderr = ''] = value as unknown[];
  if (
    typeof number !== 'number' ||
    typeof runId !== 'string' ||
    typeof wall !== 'number' ||
    typeof cpu !== 'number' ||
    typeof maxRss !== 'number' ||
    typeof stdout !== 'string' ||
    typeof stderr !== 'string'
  ) {
    throw new TypeError('a result has a number, a run, times and text');
  }
  return { number, runId, outcome: readOutcome(outcome), wall, cpu, maxRss, stdout, stderr };
}

function readOutcome(value: unknown): CallOutcome {
  if (typeof value === 'object' && value !== null && 'value' in value) {
    const { value: payload } = value;
    if (isPayload(payload)) return { value: payload };
    throw new TypeError('a value is a payload');
  }
  return unhappySchema.parse(value);
}

/** Checked by hand: what lies below `json` comes from JSON, and may be large. */
function isPayload(value: unknown): value is Payload {
  if (typeof value !== 'object' || value === null) return false;
  if ('json' in value) return true;
  if ('pickle' in value) return typeof value.pickle === 'string';
  return (
    'file' in value &&
    typeof value.file === 'string' &&
    value.file.startsWith('/') &&
    'format' in value &&
    'size' in value
  );
}
