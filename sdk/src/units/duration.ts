import { z } from 'zod';

const PART = /(\d+(?:\.\d+)?)(ms|d|h|m|s)/g;
const WHOLE = /^(?:\d+(?:\.\d+)?(?:ms|d|h|m|s))+$/;
const SECONDS = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86400 } as const;

/** Ten years: beyond it moments can no longer be reckoned with, and nothing here lasts as long. */
const LONGEST_SECONDS = 3650 * 86400;

const HOW = 'write a duration as 90s, 30m, 2h or 1h30m';

const writtenSchema = z.union([z.string().regex(WHOLE, HOW), z.strictObject({ seconds: z.number().nonnegative() })], {
  error: HOW,
});

/** A length of time as users write it; see {@link durationSchema}. */
export type Duration = z.infer<typeof writtenSchema>;

/** A length of time: `'90s'`, `'2h'`, `'1h30m'`, `'500ms'`, or `{ seconds: 90 }`. */
export const durationSchema = writtenSchema
  .refine((duration) => lastsBetween(duration, 0, LONGEST_SECONDS), 'at most 3650d')
  .meta({ id: 'Duration', title: 'Duration', description: 'For example 90s, 30m, 2h or 1h30m', examples: ['1h'] });

/**
 * Turns a duration into seconds.
 *
 * @param duration - `'90s' | '2h' | '1h30m' | '500ms'` or `{ seconds }`
 * @returns seconds, fractions kept
 * @throws RangeError when the text is not a duration
 * @example
 * ```ts
 * toSeconds('1h30m'); // 5400
 * ```
 */
export function toSeconds(duration: Duration): number {
  if (typeof duration !== 'string') return duration.seconds;
  if (!WHOLE.test(duration)) throw new RangeError(`"${duration}" is not a duration; write 90s, 30m, 2h or 1h30m`);
  let total = 0;
  for (const [, amount, unit] of duration.matchAll(PART)) {
    total += Number(amount) * SECONDS[unit as keyof typeof SECONDS];
  }
  return total;
}

/**
 * Whether a duration lies between two numbers of seconds. For refinements of schemas: these run after the text was found
 * wrong too, which has been told then.
 */
export function lastsBetween(duration: Duration, least: number, most: number): boolean {
  if (typeof duration === 'string' && !WHOLE.test(duration)) return true;
  const seconds = toSeconds(duration);
  return seconds >= least && seconds <= most;
}

/**
 * Writes seconds the way people read them: two units at most.
 *
 * @param seconds - a length of time; negative counts as zero
 * @example
 * ```ts
 * formatSeconds(5400); // '1 h 30 min'
 * ```
 */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 && minutes < 10 ? `${minutes} min ${whole % 60} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return hours % 24 ? `${days} d ${hours % 24} h` : `${days} d`;
}
