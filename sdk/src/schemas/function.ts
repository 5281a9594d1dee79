import { z } from 'zod';

/** Payloads up to this many bytes travel in records; larger ones as a file that both ends see. */
export const INLINE_PAYLOAD_BYTES = 256 * 1024;

/**
 * A value on its way to or from a worker: JSON, or a Python pickle (protocol 5: `pickle` is base64 of the framed pickle
 * with its out-of-band buffers), or a file that holds either.
 */
export const payloadSchema = z
  .union([
    z.strictObject({ json: z.json() }),
    z.strictObject({ pickle: z.base64() }),
    z.strictObject({ file: z.string().startsWith('/'), format: z.enum(['json', 'pickle']), size: z.number() }),
  ])
  .meta({ id: 'Payload' });
export type Payload = z.infer<typeof payloadSchema>;

const minor = z.string().regex(/^3\.\d+$/);

/** What is called: something importable, or a function that was defined in a notebook. */
export const functionSchema = z
  .union([
    /** `module:function`, imported in the worker with the caller's folder first on the path. */
    z.strictObject({
      python: z.string().regex(/^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$/, 'write module:function'),
    }),
    /** A function by value: cloudpickle, base64; runs on the same minor version of Python only. */
    z.strictObject({
      pickled: z.union([z.base64(), z.strictObject({ file: z.string().startsWith('/') })]),
      name: z.string(),
      /** Minor version that pickled it, such as 3.11. */
      version: minor,
    }),
    /** A module (absolute path or file URL) and the name of its export, run on Node 24. */
    z.strictObject({ module: z.string().min(1), export: z.string().min(1) }),
  ])
  .meta({ id: 'Function' });
export type FunctionReference = z.infer<typeof functionSchema>;

/** One call: the function and what it is given. A JSON payload is a list of arguments, a pickle is `(args, kwargs)`. */
export const functionCallSchema = z
  .strictObject({
    function: functionSchema,
    args: payloadSchema.optional(),
    /** Interpreter for Python; default: the caller's. */
    interpreter: z.string().min(1).optional(),
  })
  .meta({ id: 'FunctionCall' });
export type FunctionCall = z.infer<typeof functionCallSchema>;

/** An exception as it came out of a worker. */
export const remoteExceptionSchema = z
  .object({
    /** Class of the exception, such as `ValueError`. */
    type: z.string(),
    message: z.string(),
    traceback: z.string(),
    /** The exception itself, for the same language. */
    payload: payloadSchema.optional(),
  })
  .meta({ id: 'RemoteException' });
export type RemoteException = z.infer<typeof remoteExceptionSchema>;
