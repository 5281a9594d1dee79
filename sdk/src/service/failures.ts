import { type ErrorData, PilothouseError, toErrorData } from '../errors/index.js';

/** Characters of a traceback. */
const LONGEST = 8000;

/** What a handler threw, as its caller is told: with the stack, which alone shows where in somebody else's process it was. */
export function raised(error: unknown, service: string, method: string): ErrorData {
  if (error instanceof PilothouseError) return toErrorData(error);
  const [kind, message, stack] =
    error instanceof Error ? [error.name, error.message, error.stack] : ['Error', String(error), undefined];
  return {
    code: 'FUNCTION_RAISED',
    message: `${service}.${method} failed: ${kind}: ${message}`,
    retryable: false,
    ids: {},
    ...(stack === undefined ? {} : { evidence: stack.slice(0, LONGEST) }),
  };
}

/** QUEUE_FULL, with when it may be worth trying again. */
export function queueFull(service: string, waiting: number, retryAfter: number): ErrorData {
  return {
    code: 'QUEUE_FULL',
    message: `${waiting} calls wait for ${service} already.`,
    hint: `Try again in ${retryAfter} s, or ask another instance.`,
    retryable: true,
    retryAfter,
    ids: {},
  };
}

/** SERVICE_NOT_READY of a service that takes nothing new. */
export function finishing(service: string): ErrorData {
  return {
    code: 'SERVICE_NOT_READY',
    message: `${service} is finishing: it takes no new calls.`,
    hint: 'Ask another instance.',
    retryable: true,
    ids: {},
  };
}

/** What waits or is handled when the time for draining is over. */
export function ended(service: string): PilothouseError {
  return new PilothouseError('SERVICE_STOPPED', `${service} has ended before it could answer.`, {
    hint: 'Ask another instance.',
    retryable: true,
  });
}
