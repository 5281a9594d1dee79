import { ORPCError, ValidationError } from '@orpc/server';
import { additionSchema, nameSchema, type ResolvedTaskEntry, taskEntrySchema } from '@pilothouse/sdk/internal';
import type { Addition } from '../managers/tasks/set-manager.js';

type Check = (value: unknown) => boolean;

/** Fields of most entries of large sets, looked at by hand; any other leaves the entry to the schema. */
const CHECKS: Readonly<Record<string, Check>> = {
  name: (value) => typeof value === 'string' && (NAME.test(value) || nameSchema.safeParse(value).success),
  command: (value) => Array.isArray(value) && value.length > 0 && value.every((word) => typeof word === 'string'),
  cores: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  // What came as JSON is JSON.
  args: (value) => isObject(value) && 'json' in value && Object.keys(value).length === 1,
};
/** Names as most are; what else is one the schema knows. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/**
 * Checks what is added to a set. A hundred thousand entries take the schema a second, and most are plainly right.
 *
 * @throws ORPCError as the contract's own check does
 */
export function checkAddition(input: unknown): Addition {
  if (!isObject(input) || !Array.isArray(input.tasks)) return inFull(input);
  const entries: readonly unknown[] = input.tasks;

  if (entries.length > MOST) return inFull(input);
  const rest = additionSchema.safeParse({ ...input, tasks: [] });
  if (!rest.success) return inFull(input);
  const tasks: ResolvedTaskEntry[] = [];
  for (const entry of entries) {
    if (isPlain(entry)) tasks.push(entry);
    else {
      const parsed = taskEntrySchema.safeParse(entry);
      if (!parsed.success) return inFull(input);
      tasks.push(parsed.data);
    }
  }
  return { ...rest.data, tasks };
}

/** Entries of one addition; the schema says the same, with words. */
const MOST = 10_000;

/** The whole through the schema, for its words about what is wrong. */
function inFull(input: unknown): Addition {
  const parsed = additionSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const message = 'Input validation failed';
  const cause = new ValidationError({ message, issues: parsed.error.issues, data: input });
  throw new ORPCError('BAD_REQUEST', { message, cause });
}

function isPlain(entry: unknown): entry is ResolvedTaskEntry {
  if (!isObject(entry)) return false;
  for (const field in entry) {
    const check = CHECKS[field];
    if (check === undefined || !check(entry[field])) return false;
  }
  return true;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
