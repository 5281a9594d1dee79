import { type BatchRecord, type BatchRow, formatMilliseconds } from '@pilothouse/sdk/internal';
import { useState } from 'react';
import { endedRows } from '../format/batch.js';
import { useFetched } from '../hooks/call.js';
import { useApp } from '../hooks/context.js';
import { ProblemNote } from './problem-note.js';
import { EmptyState, TextButton } from './small.js';

const PAGE = 50;
/** Characters of an answer that a row shows. */
const SHOWN = 300;

/** The rows that have come out, a page at a time, in the order in which they did. */
export function BatchRows({ batch }: { readonly batch: BatchRecord }): JSX.Element | null {
  const { session, trans } = useApp();
  const [from, setFrom] = useState(0);
  const ended = endedRows(batch);
  // A full page does not change any more: only one that has room is read again as rows come.
  const key = `${batch.id} ${from} ${Math.min(ended, from + PAGE)} ${batch.state}`;
  const { value, problem } = useFetched(async (signal) => {
    const handle = await session.batches.get(batch.id, { signal });
    try {
      return await handle.rows({ from, limit: PAGE, signal });
    } finally {
      handle.close();
    }
  }, key);
  if (problem !== null) return <ProblemNote problem={problem} />;
  if (value === null) return null;
  if (value.rows.length === 0 && from === 0) {
    return <EmptyState text={trans.__('No row has come out yet.')} />;
  }
  return (
    <>
      <div className="ph-TableScroll">
        <table className="ph-Table ph-mod-wide ph-BatchRows">
          <caption className="ph-offscreen">{trans.__('Rows of %1', batch.name)}</caption>
          <thead>
            <tr>
              <th scope="col">{trans.__('Key')}</th>
              <th scope="col">{trans.__('Answer')}</th>
              <th scope="col">{trans.__('Instance')}</th>
              <th scope="col">{trans.__('Time')}</th>
            </tr>
          </thead>
          <tbody>
            {value.rows.map((row) => (
              <RowLine key={String(row.key)} row={row} />
            ))}
          </tbody>
        </table>
      </div>
      {from === 0 && ended <= PAGE ? null : (
        <div className="ph-Buttons">
          <TextButton disabled={from === 0} onClick={() => setFrom(Math.max(0, from - PAGE))}>
            {trans.__('Earlier rows')}
          </TextButton>
          <span className="ph-Field-hint">
            {trans.__('%1 to %2 of %3', from + 1, from + value.rows.length, ended.toLocaleString())}
          </span>
          <TextButton disabled={value.rows.length < PAGE} onClick={() => setFrom(value.next)}>
            {trans.__('Later rows')}
          </TextButton>
        </div>
      )}
    </>
  );
}

function RowLine({ row }: { readonly row: BatchRow }): JSX.Element {
  return (
    <tr>
      <th scope="row">{String(row.key)}</th>
      <td>
        {row.error === null ? (
          short(row.text ?? JSON.stringify(row.value) ?? '')
        ) : (
          <span className="ph-Bad">
            {row.error.message} <span className="ph-Problem-code">{row.error.code}</span>
          </span>
        )}
      </td>
      <td>{row.instance ?? '–'}</td>
      <td>{row.total === null ? '–' : formatMilliseconds(row.total)}</td>
    </tr>
  );
}

function short(text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
