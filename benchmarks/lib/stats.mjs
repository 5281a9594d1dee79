// Quantiles and spreads. Everything in the unit of the samples.

/** The value below which a share `q` (0 to 1) of the samples lies, by nearest rank. */
export function quantile(samples, q) {
  if (samples.length === 0) throw new RangeError('no samples');
  const sorted = Float64Array.from(samples).sort();
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))];
}

/** The middle of the samples. */
export function median(samples) {
  return quantile(samples, 0.5);
}

/** A figure with at most three digits after the point. */
export function round(value) {
  return Number(value.toFixed(3));
}
