import { type PilotRecord, sentence } from '@pilothouse/sdk/internal';
import { fromData, problemLine } from '../format/problem.js';
import { lostContact } from '../format/summary.js';
import { useApp } from '../hooks/context.js';
import { useNow } from '../hooks/live.js';
import { CommandIDs } from '../tokens.js';
import { LinkButton } from './small.js';

/** Why it is not further than it is, or why it failed, one line. */
export function WhyLine(props: {
  readonly kind: 'pilot' | 'service' | 'batch';
  readonly record: Pick<PilotRecord, 'id' | 'reason' | 'error' | 'contact'>;
  /** Without next steps, for untrusted notebooks. */
  readonly readOnly?: boolean;
}): JSX.Element | null {
  const { commands, trans } = useApp();
  const now = useNow(5000);
  const { kind, record, readOnly = false } = props;
  const lost = lostContact(record, now, trans);
  if (record.error !== null) {
    const seen = lastLine(record.error.evidence);
    return (
      <p className="ph-Row-why ph-mod-bad">
        {problemLine(fromData(record.error))}
        {seen === null ? null : ` “${seen}”`}{' '}
        {kind === 'service' && !readOnly ? (
          <LinkButton
            onClick={() => void commands.execute(CommandIDs.openService, { kind, id: record.id, part: 'log' })}
          >
            {trans.__('log')}
          </LinkButton>
        ) : null}
      </p>
    );
  }
  if (lost === null && record.reason === null) return null;
  return (
    <p className="ph-Row-why">
      {lost === null ? null : <strong>{lost} </strong>}
      {record.reason === null ? null : (
        <>
          {sentence(record.reason.text)}{' '}
          {readOnly ? null : (
            <LinkButton onClick={() => void commands.execute(CommandIDs.explain, { kind, id: record.id })}>
              {trans.__('why?')}
            </LinkButton>
          )}
        </>
      )}
    </p>
  );
}

/** The last line of what was seen, which mostly names the cause. */
function lastLine(evidence: string | undefined): string | null {
  const line = evidence?.trimEnd().split('\n').at(-1)?.trim() ?? '';
  return line === '' ? null : line.slice(0, 160);
}
