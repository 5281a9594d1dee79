import type { BatchRecord } from '@pilothouse/sdk/internal';
import { batchPace, endedRows, rowCount } from '../format/batch.js';
import { useApp } from '../hooks/context.js';
import { useNow } from '../hooks/live.js';

/** How far a batch is: a bar for the eye, words for everybody. */
export function BatchBar({ batch }: { readonly batch: BatchRecord }): JSX.Element {
  const { trans } = useApp();
  const { total, done, failed, inFlight } = batch.progress;
  const ended = endedRows(batch);
  const all = Math.max(1, total ?? ended + inFlight);
  const part = (amount: number): string => `${(100 * amount) / all}%`;
  const text =
    total === null
      ? trans.__('%1 rows done, the input is still read, %2 failed', ended, failed)
      : trans.__('%1 of %2 rows done, %3 failed', ended, total, failed);
  return (
    <span
      className="ph-SetBar"
      role="progressbar"
      aria-label={trans.__('Progress of %1', batch.name)}
      aria-valuemin={0}
      // Without a total nobody knows how far it is: a progressbar without value says so.
      {...(total === null ? {} : { 'aria-valuemax': Math.max(1, total), 'aria-valuenow': ended })}
      aria-valuetext={text}
      title={text}
    >
      <span className="ph-mod-bad" style={{ width: part(failed) }} />
      <span className="ph-mod-good" style={{ width: part(done) }} />
      <span className="ph-mod-busy" style={{ width: part(inFlight) }} />
    </span>
  );
}

/** The numbers beside the bar: `812/1,000   3 failed   41/s · about 12 s left`. */
export function BatchNumbers({ batch }: { readonly batch: BatchRecord }): JSX.Element {
  const { trans } = useApp();
  const now = useNow();
  const { failed, kept, inFlight } = batch.progress;
  const pace = batchPace(batch, now, trans);
  return (
    <>
      <span className="ph-SetNumbers-count">{trans.__('%1 rows', rowCount(batch))}</span>
      {failed > 0 ? <span className="ph-Bad">{trans.__('%1 failed', failed.toLocaleString())}</span> : null}
      {inFlight > 0 ? <span>{trans.__('%1 under way', inFlight.toLocaleString())}</span> : null}
      {kept > 0 ? (
        <span title={trans.__('Answered by an earlier run and not asked again')}>
          {trans.__('%1 from before', kept.toLocaleString())}
        </span>
      ) : null}
      {pace === null ? null : <span>{pace}</span>}
    </>
  );
}
