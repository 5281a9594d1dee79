import type { z } from 'zod';

const TYPES: Readonly<Record<string, string>> = {
  int: 'use a whole number',
  number: 'use a number',
  string: 'use text',
  boolean: 'use true or false',
  array: 'use a list',
  tuple: 'use a list',
  object: 'use named fields',
  record: 'use named fields',
};

/**
 * What is wrong with a value, as an instruction instead of zod's own words; undefined where zod's message is one of ours.
 * An error map: give it to `parse` as `error`, or to `z.config` in a process of our own. Never to `z.config` in the SDK:
 * the notebook's zod is the user's.
 *
 * @example
 * ```ts
 * z.int().safeParse(1.5, { error: plainWords }).error?.issues[0]?.message; // 'use a whole number'
 * ```
 */
export const plainWords: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is needed' : TYPES[issue.expected];
    case 'too_small':
      if (issue.origin === 'string' || issue.origin === 'array') {
        return Number(issue.minimum) <= 1 ? 'must not be empty' : `needs at least ${issue.minimum}`;
      }
      return issue.inclusive === false ? `use more than ${issue.minimum}` : `use at least ${issue.minimum}`;
    case 'too_big':
      if (issue.origin === 'string' || issue.origin === 'array') return `has more than ${issue.maximum}`;
      return `use at most ${issue.maximum}`;
    case 'invalid_value':
      return `use ${issue.values.map(String).join(' or ')}`;
    default:
      return undefined;
  }
};
