import type { BatchRecord } from '@pilothouse/sdk/internal';
import { BatchBar, BatchNumbers } from '../components/batch-bar.js';
import { BatchFailures } from '../components/batch-failures.js';
import { CopyButton, LiveRegion, ShortId, Since, TextButton } from '../components/small.js';
import { StateBadge } from '../components/state-badge.js';
import { WhyLine } from '../components/why-line.js';
import { isFinal } from '../format/state.js';
import { spoken } from '../format/summary.js';
import { useApp } from '../hooks/context.js';
import { CommandIDs } from '../tokens.js';

/** A batch in a cell: failures first, bar, rate, when it will be over, and where the rows lie. */
export function BatchView(props: { readonly batch: BatchRecord; readonly readOnly: boolean }): JSX.Element {
  const { commands, trans } = useApp();
  const { batch, readOnly } = props;
  const final = isFinal('batch', batch.state);
  const args = { kind: 'batch', id: batch.id };
  return (
    <section className="ph-Set" aria-label={trans.__('Batch %1', batch.name)}>
      <header className="ph-Cell-head">
        <b>{batch.name}</b> <StateBadge kind="batch" state={batch.state} />
        <span>
          {final ? null : trans.__('for')} <Since time={batch.since} ago={final} />
        </span>
        <span>{trans.__('asks %1', batch.service.name)}</span>
        <ShortId id={batch.id} />
        {readOnly ? null : (
          <span className="ph-Cell-tools">
            <TextButton onClick={() => void commands.execute(CommandIDs.openBatch, args)}>
              {trans.__('Open')}
            </TextButton>
            {final ? null : (
              <TextButton warn onClick={() => void commands.execute(CommandIDs.cancelBatch, args)}>
                {trans.__('Cancel')}
              </TextButton>
            )}
          </span>
        )}
      </header>
      <BatchFailures batch={batch} />
      <div className="ph-Set-line">
        <BatchBar batch={batch} />
        <BatchNumbers batch={batch} />
      </div>
      <WhyLine kind="batch" record={batch} readOnly={readOnly} />
      <p className="ph-Row-why">
        {trans.__('rows in')} <code>{batch.out}</code> <CopyButton text={batch.out} name={trans.__('Copy the path')} />
      </p>
      <LiveRegion text={spoken(trans.__('batch'), batch.name, batch.state, trans)} />
    </section>
  );
}
