import { z } from 'zod';

const SIZE = /^(\d+(?:\.\d+)?)\s?(B|KiB|MiB|GiB|TiB|kB|MB|GB|TB)$/;
const BYTES = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
} as const;

/** An amount of memory or data: `'512MiB'`, `'16GiB'`, `'1.5GB'`. */
export const sizeSchema = z
  .string()
  .regex(SIZE, 'write a size as 512MiB or 16GiB')
  .meta({ id: 'Size', title: 'Size', description: 'For example 512MiB or 16GiB', examples: ['4GiB'] });

/** An amount of memory or data as users write it; see {@link sizeSchema}. */
export type Size = z.infer<typeof sizeSchema>;

/**
 * Turns a size into bytes.
 *
 * @throws RangeError when the text is not a size
 * @example
 * ```ts
 * toBytes('4GiB'); // 4294967296
 * ```
 */
export function toBytes(size: Size): number {
  const match = SIZE.exec(size);
  if (!match) throw new RangeError(`"${size}" is not a size; write 512MiB or 16GiB`);
  return Math.round(Number(match[1]) * BYTES[match[2] as keyof typeof BYTES]);
}

/**
 * Writes bytes with a binary unit and at most one decimal.
 *
 * @example
 * ```ts
 * formatBytes(4294967296); // '4 GiB'
 * ```
 */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number(value.toFixed(1))} ${units[unit]}`;
}
