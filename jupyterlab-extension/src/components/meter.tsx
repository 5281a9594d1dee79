import { useApp } from '../hooks/context.js';

const BLOCKS = 8;

/** How much of something is in use: blocks for the eye, words for everybody. */
export function Meter(props: {
  readonly label: string;
  readonly used: number;
  readonly total: number;
  /** How amounts are written; default: as they are. */
  readonly format?: (amount: number) => string;
}): JSX.Element {
  const { trans } = useApp();
  const { label, used, total, format = String } = props;
  const blocks = Math.min(BLOCKS, Math.max(1, Math.ceil(total)));
  const filled = total > 0 ? Math.min(blocks, Math.ceil((used / total) * blocks)) : 0;
  const text = trans.__('%1 of %2 in use', format(used), format(total));
  return (
    // biome-ignore lint/a11y/useSemanticElements: <meter> cannot be drawn as blocks in every browser
    <span
      className="ph-Meter"
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={used}
      aria-valuetext={text}
      title={`${label}: ${text}`}
    >
      <span className="ph-Meter-label">{label}</span>
      <span className="ph-Meter-blocks" aria-hidden="true">
        {Array.from({ length: blocks }, (_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the blocks are their places
          <span key={index} className={index < filled ? 'ph-Meter-block ph-mod-used' : 'ph-Meter-block'} />
        ))}
      </span>
      <span className="ph-Meter-number" aria-hidden="true">
        {format(used)}/{format(total)}
      </span>
    </span>
  );
}

/** The last few response times as a small line; says nothing that the number beside it does not. */
export function Sparkline({ values }: { readonly values: readonly number[] }): JSX.Element | null {
  if (values.length < 2) return null;
  const top = Math.max(...values, 1);
  const step = 48 / (values.length - 1);
  const points = values.map((value, index) => `${(index * step).toFixed(1)},${(13 - (value / top) * 12).toFixed(1)}`);
  return (
    <svg className="ph-Sparkline" viewBox="0 0 48 14" width="48" height="14" aria-hidden="true">
      <polyline points={points.join(' ')} />
    </svg>
  );
}
