import {
  type ResolvedTaskDescription,
  type ResolvedTaskEntry,
  type SpooledTask,
  type TaskBatch,
  taskDescriptionSchema,
  toBytes,
  toSeconds,
} from '@pilothouse/sdk/shared';
import type { Submission } from './work.js';

const { command: _none, ...DEFAULTS } = taskDescriptionSchema.parse({ command: ['true'] });

type Entry = SpooledTask['entry'];

const bases = new WeakMap<Submission, ResolvedTaskEntry>();

/** What the tasks of a batch share, without the tasks. */
export function submissionOf({ set, template, env, cwd }: TaskBatch): Submission {
  return { set, template, env, cwd };
}

/**
 * A task's description: defaults, its batch's template on top, its own fields on top of that. Resolved when it is needed
 * and not kept, as a hundred thousand tasks may wait.
 */
export function describe(submission: Submission, entry: Entry): ResolvedTaskDescription {
  const { args, ...fields } = entry;
  // Both were read from JSON, which knows no undefined: what is there has a value, the rest has a default.
  const whole = { ...baseOf(submission), ...fields } as ResolvedTaskDescription;
  // An entry may call a function where the template has a command, and the other way round.
  if (entry.command !== undefined && entry.call === undefined) delete whole.call;
  else if (entry.call !== undefined && entry.command === undefined) delete whole.command;
  if (args !== undefined && whole.call !== undefined) whole.call = { ...whole.call, args };
  return whole;
}

/** One field of a description, without the others. */
export function fieldOf<K extends Exclude<keyof ResolvedTaskDescription, 'name' | 'command' | 'call'>>(
  submission: Submission,
  entry: Entry,
  field: K,
): ResolvedTaskDescription[K] {
  return (entry[field] ?? baseOf(submission)[field]) as ResolvedTaskDescription[K];
}

/** Whether a task calls a function; otherwise it runs a command. */
export function isCall({ template }: Submission, { call, command }: Entry): boolean {
  return call !== undefined || (command === undefined && template.call !== undefined);
}

/** What the entries of a batch come on top of. */
function baseOf(submission: Submission): ResolvedTaskEntry {
  const known = bases.get(submission);
  if (known !== undefined) return known;
  const { name: _name, args: _args, ...template } = submission.template;
  const base = { ...DEFAULTS, ...template };
  bases.set(submission, base);
  return base;
}

/** Bytes that a description asks for, per rank or for all of it; null: no limit of its own. */
export function memoryOf({ memory }: ResolvedTaskDescription): number | null {
  return memory === undefined ? null : toBytes(memory);
}

/** Seconds that it says it takes; undefined: it does not say. */
export function expectedSeconds({ expectedDuration, maxDuration }: ResolvedTaskDescription): number | undefined {
  if (expectedDuration !== undefined) return toSeconds(expectedDuration);
  return maxDuration === undefined ? undefined : toSeconds(maxDuration);
}
