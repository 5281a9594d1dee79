import { type BatchRecord, sentence } from '@pilothouse/sdk/internal';
import { useApp } from '../hooks/context.js';

/** The rows that failed last, each with its cause; nothing where none did. */
export function BatchFailures({ batch }: { readonly batch: BatchRecord }): JSX.Element | null {
  const { trans } = useApp();
  const { failures, progress } = batch;
  if (failures.length === 0) return null;
  const more = progress.failed - failures.length;
  return (
    <>
      <ul className="ph-Failures" aria-label={trans.__('Failed rows')}>
        {failures.map(({ key, code, message }) => (
          <li key={key}>
            <b>{trans.__('row %1', key)}</b> {sentence(message)} <span className="ph-Problem-code">{code}</span>
          </li>
        ))}
      </ul>
      {more > 0 ? <p className="ph-Row-why">{trans.__('%1 more have failed.', more.toLocaleString())}</p> : null}
    </>
  );
}
