import type { BatchRecord } from '@pilothouse/sdk/internal';
import { type ReactNode, useMemo } from 'react';
import { map } from 'rxjs';
import { BatchBar, BatchNumbers } from '../components/batch-bar.js';
import { BatchFailures } from '../components/batch-failures.js';
import { BatchRows } from '../components/batch-rows.js';
import { ProblemNote } from '../components/problem-note.js';
import { ReactPanel } from '../components/react-panel.js';
import { CopyButton, HelpButton, LinkButton, LiveRegion, ShortId, Since, TextButton } from '../components/small.js';
import { StateBadge } from '../components/state-badge.js';
import { WhyLine } from '../components/why-line.js';
import { fromData } from '../format/problem.js';
import { isFinal } from '../format/state.js';
import { spoken } from '../format/summary.js';
import { useApp } from '../hooks/context.js';
import { useLive } from '../hooks/live.js';
import { CommandIDs, type IPilothouse } from '../tokens.js';
import { Missing, Part } from './page.js';
import { StateTimes } from './state-times.js';

/** The page of one batch. */
export class BatchPage extends ReactPanel {
  constructor(
    app: IPilothouse,
    readonly targetId: string,
  ) {
    super(app);
    this.addClass('ph-Page');
  }

  protected content(): ReactNode {
    return <BatchPageContent id={this.targetId} />;
  }
}

function BatchPageContent({ id }: { readonly id: string }): JSX.Element {
  const { session, trans } = useApp();
  const source = useMemo(
    () => session.picture$.pipe(map((picture) => picture.batches.find((batch) => batch.id === id))),
    [session, id],
  );
  const batch = useLive(
    source,
    session.picture.batches.find((one) => one.id === id),
  );
  if (batch === undefined) return <Missing what={trans.__('batch')} />;
  return <BatchDetails batch={batch} />;
}

function BatchDetails({ batch }: { readonly batch: BatchRecord }): JSX.Element {
  const { commands, session, trans } = useApp();
  const final = isFinal('batch', batch.state);
  const pilot = useLive(session.picture$, session.picture).pilots.find((one) => one.id === batch.pilot);
  const run = (command: string) => () => void commands.execute(command, { kind: 'batch', id: batch.id });
  const { description, progress } = batch;
  return (
    <>
      <header className="ph-Page-head">
        <h2>{batch.name}</h2>
        <StateBadge kind="batch" state={batch.state} />
        <span>
          {final ? null : trans.__('for')} <Since time={batch.since} ago={final} />
        </span>
        <span className="ph-Page-actions">
          <HelpButton page="batches" />
          <TextButton onClick={run(CommandIDs.insert)}>{trans.__('Insert into notebook')}</TextButton>
          {final ? null : (
            <TextButton warn onClick={run(CommandIDs.cancelBatch)}>
              {trans.__('Cancel')}
            </TextButton>
          )}
        </span>
      </header>
      <LiveRegion text={spoken(trans.__('batch'), batch.name, batch.state, trans)} />
      {batch.error === null ? <WhyLine kind="batch" record={batch} /> : <ProblemNote problem={fromData(batch.error)} />}
      <BatchFailures batch={batch} />
      <div className="ph-Set-line">
        <BatchBar batch={batch} />
        <BatchNumbers batch={batch} />
        {progress.tokens > 0 ? <span>{trans.__('%1 tokens', progress.tokens.toLocaleString())}</span> : null}
      </div>
      <p>
        {trans.__('asks')}{' '}
        <LinkButton onClick={() => void commands.execute(CommandIDs.openService, { id: batch.service.id })}>
          {batch.service.name}
        </LinkButton>
        {` · ${description.op ?? 'chat'}`}
        {'file' in description.input ? (
          <>
            {` · ${trans.__('from')} `}
            <code>{description.input.file}</code>
          </>
        ) : null}
        {pilot === undefined ? null : (
          <>
            {` · ${trans.__('on pilot')} `}
            <LinkButton onClick={() => void commands.execute(CommandIDs.openPilot, { id: pilot.id })}>
              {pilot.name}
            </LinkButton>
          </>
        )}
        {' · '}
        <ShortId id={batch.id} />
      </p>
      <p>
        {trans.__('rows in')} <code>{batch.out}</code> <CopyButton text={batch.out} name={trans.__('Copy the path')} />
      </p>
      <Part title={trans.__('Rows')}>
        <BatchRows batch={batch} />
      </Part>
      <Part title={trans.__('Times')}>
        <StateTimes times={batch.times} endsAt={null} />
      </Part>
    </>
  );
}
