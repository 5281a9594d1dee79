import type { TaskDescription, TaskEntry } from '../../schemas/index.js';
import { reference } from '../collections/reference.js';
import type { CommonInput, TaskEntryInput, TaskInput } from '../types.js';

type Plain = Pick<TaskEntry, 'pilot' | 'services' | 'after'>;

/** A whole task as it travels: ids where handles stand. */
export function toDescription(input: TaskInput): TaskDescription {
  return withIds(input);
}

/** Fields of a task on top of a template, as they travel. */
export function toEntry(input: TaskEntryInput): TaskEntry {
  return withIds(input);
}

/** Those without handles, most of many, are taken as they are. */
function withIds<T extends CommonInput>(input: T): Omit<T, keyof Plain> & Plain {
  const { pilot, services, after, ...rest } = input;
  if (pilot === undefined && services === undefined && after === undefined) return rest;
  return {
    ...rest,
    ...(pilot === undefined ? {} : { pilot: reference(pilot) }),
    ...(services === undefined ? {} : { services: services.map(reference) }),
    ...(after === undefined ? {} : { after: after.map(dependency) }),
  };
}

function dependency(after: NonNullable<CommonInput['after']>[number]): NonNullable<Plain['after']>[number] {
  if (typeof after === 'string') return after;
  if ('kind' in after) return after.id;
  return { task: reference(after.task), ...(after.when === undefined ? {} : { when: after.when }) };
}
