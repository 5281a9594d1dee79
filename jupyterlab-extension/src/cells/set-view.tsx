import { sentence, type TaskSetRecord } from '@pilothouse/sdk/internal';
import { SetBar, SetNumbers } from '../components/set-bar.js';
import { LinkButton, LiveRegion, ShortId, Since, TextButton } from '../components/small.js';
import { StateBadge } from '../components/state-badge.js';
import { fromData, problemLine } from '../format/problem.js';
import { unfinished } from '../format/set.js';
import { isFinal } from '../format/state.js';
import { spoken } from '../format/summary.js';
import { useApp } from '../hooks/context.js';
import { CommandIDs } from '../tokens.js';

/** A task set in a cell: bar, counts, rate, when it will be over; failures first. */
export function SetView(props: { readonly set: TaskSetRecord; readonly readOnly: boolean }): JSX.Element {
  const { commands, trans } = useApp();
  const { set, readOnly } = props;
  const final = isFinal('set', set.state);
  const args = { kind: 'set', id: set.id };
  const run = (command: string) => () => void commands.execute(command, args);
  const again = set.counts.failed > 0 || (final && set.counts.canceled > 0);
  return (
    <section className="ph-Set" aria-label={trans.__('Task set %1', set.name)}>
      <header className="ph-Cell-head">
        <b>{set.name}</b> <StateBadge kind="set" state={set.state} />
        <span>
          {final ? null : trans.__('for')} <Since time={set.since} ago={final} />
        </span>
        <ShortId id={set.id} />
        {readOnly ? null : (
          <span className="ph-Cell-tools">
            <TextButton onClick={() => void commands.execute(CommandIDs.openTasks, { set: set.id })}>
              {trans.__('Open table')}
            </TextButton>
            {again ? (
              <TextButton onClick={run(CommandIDs.retryFailed)}>
                {set.counts.failed > 0 ? trans.__('Retry failed') : trans.__('Retry canceled')}
              </TextButton>
            ) : null}
            {final ? null : (
              <TextButton warn onClick={run(CommandIDs.cancelSet)}>
                {trans.__('Cancel')}
              </TextButton>
            )}
          </span>
        )}
      </header>
      <div className="ph-Set-line">
        <SetBar set={set} />
        <SetNumbers set={set} />
        {final ? null : <span>{unfinished(set, trans)}</span>}
      </div>
      {set.summary === '' ? null : (
        <p className="ph-Row-why">
          <code>{set.summary}</code>
        </p>
      )}
      {set.reason === null ? null : <p className="ph-Row-why">{sentence(set.reason.text)}</p>}
      {set.failures.length === 0 ? null : <Failures set={set} readOnly={readOnly} />}
      <LiveRegion text={spoken(trans.__('task set'), set.name, set.state, trans)} />
    </section>
  );
}

/** What failed first, each with its cause. */
function Failures(props: { readonly set: TaskSetRecord; readonly readOnly: boolean }): JSX.Element {
  const { commands, trans } = useApp();
  const { set, readOnly } = props;
  const more = set.counts.failed - set.failures.length;
  return (
    <>
      <ul className="ph-Failures" aria-label={trans.__('Failed tasks')}>
        {set.failures.map((failure) => (
          <li key={failure.id}>
            {readOnly ? (
              <b>{failure.name}</b>
            ) : (
              <LinkButton onClick={() => void commands.execute(CommandIDs.openTask, { id: failure.id, part: 'log' })}>
                {failure.name}
              </LinkButton>
            )}{' '}
            {problemLine(fromData(failure.error))}
          </li>
        ))}
      </ul>
      {more > 0 ? <p className="ph-Row-why">{trans.__('%1 more have failed.', more.toLocaleString())}</p> : null}
    </>
  );
}
