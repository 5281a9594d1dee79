import { z } from 'zod';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** The kinds of things that have an id. */
export const ID_KINDS = [
  'pilot',
  'task',
  'set',
  'service',
  'instance',
  'answer',
  'batch',
  'view',
  'key',
  'sub',
] as const;
export type IdKind = (typeof ID_KINDS)[number];

const BODY = '[0-9abcdefghjkmnpqrstvwxyz]{10}';

/** Schema of an id of one kind: `<kind>-<10 lowercase Crockford base32>`. */
export function idSchema(kind: IdKind) {
  return z.string().regex(new RegExp(`^${kind}-${BODY}$`), `not the id of one ${kind}`);
}

/**
 * Makes a new id of 50 random bits, enough for one user's things.
 *
 * @example
 * ```ts
 * newId('pilot'); // for example 'pilot-7k2m9qz4wd'
 * ```
 */
export function newId(kind: IdKind): string {
  return idOfBytes(kind, globalThis.crypto.getRandomValues(new Uint8Array(10)));
}

/** The id that the first ten bytes stand for: of what has the same digest, the same. */
export function idOfBytes(kind: IdKind, bytes: Uint8Array): string {
  return `${kind}-${Array.from(bytes.subarray(0, 10), (byte) => ALPHABET[byte & 31]).join('')}`;
}

/** The six characters that people see instead of the whole id. */
export function shortId(id: string): string {
  return id.slice(id.indexOf('-') + 1).slice(0, 6);
}

/** Tells whether a text has the form of an id of that kind. */
export function isId(kind: IdKind, text: string): boolean {
  return new RegExp(`^${kind}-${BODY}$`).test(text);
}

/** A name that users give: letters, digits, dot, dash, underscore; starts with a letter or digit. */
export const nameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'use letters, digits, dots, dashes and underscores, at most 63')
  .meta({ title: 'Name', description: 'By which you and your notebooks find it again; empty: one is made' });
