/**
 * The value below which a share of the values lies, by linear interpolation between the two nearest.
 *
 * @param values - in any order
 * @param share - 0 to 1
 * @returns null for no values
 */
export function quantile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? 0;
  const above = sorted[Math.ceil(position)] ?? below;
  return below + (above - below) * (position - Math.floor(position));
}

/** The middle of the values; null for none. */
export const median = (values: readonly number[]): number | null => quantile(values, 0.5);
