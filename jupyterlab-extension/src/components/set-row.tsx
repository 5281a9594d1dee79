import { closeIcon, codeIcon, refreshIcon, stopIcon } from '@jupyterlab/ui-components';
import { sentence, type TaskSetRecord } from '@pilothouse/sdk/internal';
import { fromData, problemLine } from '../format/problem.js';
import { unfinished } from '../format/set.js';
import { isFinal } from '../format/state.js';
import { spoken } from '../format/summary.js';
import { useApp } from '../hooks/context.js';
import { CommandIDs } from '../tokens.js';
import { Row } from './row.js';
import { SetBar, SetNumbers } from './set-bar.js';
import { IconButton, LinkButton, LiveRegion, Since } from './small.js';

/** A task set in the sidebar, above the table, and in a cell. */
export function SetRow(props: {
  readonly set: TaskSetRecord;
  /** Without actions, for untrusted notebooks. */
  readonly readOnly?: boolean;
}): JSX.Element {
  const { set, readOnly = false } = props;
  const { commands, trans } = useApp();
  const final = isFinal('set', set.state);
  const args = { kind: 'set', id: set.id };
  const run = (command: string) => () => void commands.execute(command, args);
  const failed = set.counts.failed + set.counts.canceled > 0;
  return (
    <Row
      kind="set"
      id={set.id}
      name={set.name}
      state={set.state}
      final={final}
      summary={
        <>
          <SetBar set={set} />
          <SetNumbers set={set} />
          {final ? null : <span>{unfinished(set, trans)}</span>}
        </>
      }
      end={<Since time={set.since} ago={final} />}
      actions={
        readOnly ? null : (
          <>
            {failed && final ? (
              <IconButton
                icon={refreshIcon}
                name={trans.__('Retry what failed in %1', set.name)}
                onClick={run(CommandIDs.retryFailed)}
              />
            ) : null}
            <IconButton
              icon={codeIcon}
              name={trans.__('Insert %1 into notebook', set.name)}
              onClick={run(CommandIDs.insert)}
            />
            {final ? (
              <IconButton icon={closeIcon} name={trans.__('Hide %1', set.name)} onClick={run(CommandIDs.hide)} />
            ) : (
              <IconButton icon={stopIcon} name={trans.__('Cancel %1', set.name)} onClick={run(CommandIDs.cancelSet)} />
            )}
          </>
        )
      }
    >
      <SetWhy set={set} />
      <LiveRegion text={spoken(trans.__('task set'), set.name, set.state, trans)} />
    </Row>
  );
}

/** Why nothing of it runs, or what failed last. */
function SetWhy({ set }: { readonly set: TaskSetRecord }): JSX.Element | null {
  const { commands, trans } = useApp();
  const last = set.failures.at(-1);
  if (set.reason !== null) {
    return (
      <p className="ph-Row-why">
        {sentence(set.reason.text)}{' '}
        <LinkButton onClick={() => void commands.execute(CommandIDs.explain, { kind: 'set', id: set.id })}>
          {trans.__('why?')}
        </LinkButton>
      </p>
    );
  }
  if (last === undefined) return null;
  return (
    <p className="ph-Row-why ph-mod-bad">
      {last.name}: {problemLine(fromData(last.error))}{' '}
      <LinkButton onClick={() => void commands.execute(CommandIDs.openTask, { id: last.id, part: 'log' })}>
        {trans.__('log')}
      </LinkButton>
    </p>
  );
}
