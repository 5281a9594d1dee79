import { z } from 'zod';

/**
 * Every error code there is, with whether the same call can succeed later without a change by the user.
 * Codes are part of the interface: never renamed, only added.
 */
export const ERROR_CODES = {
  BRIDGE_UNREACHABLE: true,
  BRIDGE_RESTARTED: true,
  BRIDGE_START_FAILED: false,
  LAUNCHER_MISSING: false,
  CONNECTION_LOST: true,
  OWNERSHIP_MOVED: false,
  OWNED_ELSEWHERE: false,
  VERSION_MISMATCH: false,
  TIMEOUT: true,
  INVALID_DESCRIPTION: false,
  INVALID_FRAME: false,
  UNKNOWN_METHOD: false,
  PERMISSION_DENIED: false,
  UNSAFE_PATH: false,
  LOG_DAMAGED: false,
  DESCRIPTION_CHANGED: false,
  ENGINE_UNAVAILABLE: false,
  PILOT_NOT_FOUND: false,
  PILOT_REFUSED: false,
  PILOT_FAILED: false,
  PILOT_ENDED: false,
  TASK_NOT_FOUND: false,
  TASK_FAILED: false,
  TASK_CANCELED: false,
  EXECUTABLE_NOT_FOUND: false,
  DIRECTORY_NOT_FOUND: false,
  TASK_SET_NOT_FOUND: false,
  DEPENDENCY_FAILED: false,
  ENVIRONMENT_NOT_FOUND: false,
  OUT_OF_MEMORY: false,
  GPU_OUT_OF_MEMORY: false,
  GPU_COMMUNICATION_FAILED: true,
  DURATION_EXCEEDED: false,
  WALLTIME_OVER: true,
  LAUNCHER_LOST: true,
  DATA_NOT_FOUND: false,
  STAGING_FAILED: false,
  CHECKSUM_MISMATCH: false,
  FILE_TOO_LARGE: false,
  DISK_FULL: false,
  FUNCTION_RAISED: false,
  FUNCTION_NOT_FOUND: false,
  FUNCTION_NOT_SENDABLE: false,
  INVALID_RESULT: false,
  WORKER_LOST: true,
  NODE_LOST: true,
  SERVICE_NOT_FOUND: false,
  SERVICE_NOT_READY: true,
  SERVICE_FAILED: false,
  SERVICE_STOPPED: false,
  SERVICE_UNREACHABLE: true,
  TEMPLATE_UNAVAILABLE: false,
  MODEL_NOT_FOUND: false,
  PORT_IN_USE: true,
  AUTHENTICATION_FAILED: false,
  UNAUTHENTICATED_SERVICE: false,
  CREDENTIAL_NOT_FOUND: false,
  API_NOT_RECOGNISED: false,
  CONTEXT_EXCEEDED: false,
  QUEUE_FULL: true,
  BACKEND_FAILED: true,
  STREAM_CUT: true,
  BACKEND_TIMEOUT: true,
  REQUEST_REFUSED: false,
  UNSUPPORTED_REQUEST: false,
  UNSUPPORTED_FORMAT: false,
  METHOD_NOT_FOUND: false,
  CERTIFICATE_REFUSED: false,
  BATCH_NOT_FOUND: false,
  BATCH_FAILED: false,
  BATCH_CANCELED: false,
  ANSWER_NOT_FOUND: false,
  ANSWER_STOPPED: false,
  STATE_UNREACHABLE: false,
  CLOSED: false,
  BUFFER_OVERFLOW: false,
  INTERNAL: false,
} as const satisfies Record<string, boolean>;

/** What went wrong, as a literal that programs can switch on. */
export type ErrorCode = keyof typeof ERROR_CODES;

export const errorCodeSchema = z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]);

/** An error as it crosses the wire and lies in logs. */
export const errorDataSchema = z
  .object({
    code: errorCodeSchema,
    /** What went wrong and where, one sentence. */
    message: z.string(),
    /** What to do, one sentence; shown first. */
    hint: z.string().optional(),
    retryable: z.boolean(),
    /** Ids of the things concerned, by kind: `{ pilot, task, service, instance, answer }`. */
    ids: z.record(z.string(), z.string()).default({}),
    /** Path of the field concerned, for INVALID_DESCRIPTION: `resources.cores`. */
    field: z.string().optional(),
    /** Seconds after which it is worth trying again: QUEUE_FULL. */
    retryAfter: z.number().optional(),
    /** Last lines of stderr, exit code, response body, squeue line …: whatever shows the cause. */
    evidence: z.string().optional(),
  })
  .meta({ id: 'Error' });
export type ErrorData = z.infer<typeof errorDataSchema>;
