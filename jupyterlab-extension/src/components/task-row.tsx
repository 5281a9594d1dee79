import { closeIcon, listIcon, refreshIcon, stopIcon } from '@jupyterlab/ui-components';
import { sentence, type TaskRecord } from '@pilothouse/sdk/internal';
import { fromData, problemLine } from '../format/problem.js';
import { isFinal } from '../format/state.js';
import { lostContact, spoken } from '../format/summary.js';
import { useApp } from '../hooks/context.js';
import { useNow } from '../hooks/live.js';
import { whatItDoes } from '../task/description.js';
import { CommandIDs } from '../tokens.js';
import { Row } from './row.js';
import { IconButton, LinkButton, LiveRegion, Since } from './small.js';

/** A task of no set in the sidebar. */
export function TaskRow({ task }: { readonly task: TaskRecord }): JSX.Element {
  const { commands, trans } = useApp();
  const now = useNow(5000);
  const final = isFinal('task', task.state);
  const args = { kind: 'task', id: task.id };
  const run = (command: string) => () => void commands.execute(command, args);
  const lost = lostContact(task, now, trans);
  return (
    <Row
      kind="task"
      id={task.id}
      name={task.name}
      state={task.state}
      final={final}
      summary={<code className="ph-Row-command">{whatItDoes(task.description)}</code>}
      end={<Since time={task.since} ago={final} />}
      actions={
        <>
          <IconButton
            icon={listIcon}
            name={trans.__('Open the log of %1', task.name)}
            onClick={run(CommandIDs.openTaskLog)}
          />
          {final ? (
            <>
              <IconButton
                icon={refreshIcon}
                name={trans.__('Retry %1', task.name)}
                onClick={run(CommandIDs.retryTask)}
              />
              <IconButton icon={closeIcon} name={trans.__('Hide %1', task.name)} onClick={run(CommandIDs.hide)} />
            </>
          ) : (
            <IconButton icon={stopIcon} name={trans.__('Cancel %1', task.name)} onClick={run(CommandIDs.cancelTask)} />
          )}
        </>
      }
    >
      {task.error !== null ? (
        <p className="ph-Row-why ph-mod-bad">{problemLine(fromData(task.error))}</p>
      ) : lost !== null || task.reason !== null ? (
        <p className="ph-Row-why">
          {lost === null ? null : <strong>{lost} </strong>}
          {task.reason === null ? null : (
            <>
              {sentence(task.reason.text)}{' '}
              <LinkButton onClick={() => void commands.execute(CommandIDs.explain, args)}>
                {trans.__('why?')}
              </LinkButton>
            </>
          )}
        </p>
      ) : null}
      <LiveRegion text={spoken(trans.__('task'), task.name, task.state, trans)} />
    </Row>
  );
}
