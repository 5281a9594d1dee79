import type { TaskSetRecord } from '@pilothouse/sdk/internal';
import { endedOf, expectedOf, pace } from '../format/set.js';
import { useApp } from '../hooks/context.js';

/** How far a set is: a bar for the eye, words for everybody. */
export function SetBar({ set }: { readonly set: TaskSetRecord }): JSX.Element {
  const { trans } = useApp();
  const { counts } = set;
  const total = Math.max(1, expectedOf(set));
  const ended = endedOf(set);
  const part = (amount: number): string => `${(100 * amount) / total}%`;
  const text = trans.__('%1 of %2 ended, %3 failed', ended, expectedOf(set), counts.failed);
  return (
    <span
      className="ph-SetBar"
      role="progressbar"
      aria-label={trans.__('Progress of %1', set.name)}
      aria-valuemin={0}
      aria-valuemax={expectedOf(set)}
      aria-valuenow={ended}
      aria-valuetext={text}
      title={text}
    >
      <span className="ph-mod-bad" style={{ width: part(counts.failed) }} />
      <span className="ph-mod-good" style={{ width: part(counts.done) }} />
      <span className="ph-mod-over" style={{ width: part(counts.canceled) }} />
      <span className="ph-mod-busy" style={{ width: part(counts.running) }} />
    </span>
  );
}

/** The numbers beside the bar: `812/1,000   3 failed   41/s · about 12 s left`. */
export function SetNumbers({ set }: { readonly set: TaskSetRecord }): JSX.Element {
  const { trans } = useApp();
  const { counts } = set;
  const speed = pace(set, trans);
  return (
    <>
      <span className="ph-SetNumbers-count">
        {endedOf(set).toLocaleString()}/{expectedOf(set).toLocaleString()}
        {set.open ? '+' : ''}
      </span>
      {counts.failed > 0 ? (
        <span className="ph-Bad">{trans.__('%1 failed', counts.failed.toLocaleString())}</span>
      ) : null}
      {counts.canceled > 0 ? <span>{trans.__('%1 canceled', counts.canceled.toLocaleString())}</span> : null}
      {counts.resumed > 0 ? (
        <span title={trans.__('Taken over from an earlier set of this name, not run again')}>
          {trans.__('%1 resumed', counts.resumed.toLocaleString())}
        </span>
      ) : null}
      {speed === null ? null : <span>{speed}</span>}
    </>
  );
}
