import type { TaskRecord } from '@pilothouse/sdk/internal';
import { ProblemNote } from '../components/problem-note.js';
import { LiveRegion, ShortId, Since, TextButton } from '../components/small.js';
import { StateBadge } from '../components/state-badge.js';
import { fromData } from '../format/problem.js';
import { isFinal } from '../format/state.js';
import { spoken } from '../format/summary.js';
import { useApp } from '../hooks/context.js';
import { whatItDoes } from '../task/description.js';
import { Exception } from '../task/exception.js';
import { CommandIDs } from '../tokens.js';

/** A task in a cell: what it does, how it stands, what went wrong. */
export function TaskView(props: { readonly task: TaskRecord; readonly readOnly: boolean }): JSX.Element {
  const { commands, trans } = useApp();
  const { task, readOnly } = props;
  const final = isFinal('task', task.state);
  const args = { kind: 'task', id: task.id };
  const run = (command: string) => () => void commands.execute(command, args);
  return (
    <section className="ph-Task" aria-label={trans.__('Task %1', task.name)}>
      <header className="ph-Cell-head">
        <b>{task.name}</b> <StateBadge kind="task" state={task.state} />
        <span>
          {final ? null : trans.__('for')} <Since time={task.since} ago={final} />
        </span>
        {task.exitCode === null ? null : <span>{trans.__('exit code %1', task.exitCode)}</span>}
        {task.signal === null ? null : <span>{trans.__('ended by %1', task.signal)}</span>}
        {task.attempt > 1 ? <span>{trans.__('attempt %1', task.attempt)}</span> : null}
        <ShortId id={task.id} />
        {readOnly ? null : (
          <span className="ph-Cell-tools">
            <TextButton onClick={run(CommandIDs.openTask)}>{trans.__('Open')}</TextButton>
            {final ? null : (
              <TextButton warn onClick={run(CommandIDs.cancelTask)}>
                {trans.__('Cancel')}
              </TextButton>
            )}
          </span>
        )}
      </header>
      <p className="ph-Row-why">
        <code>{whatItDoes(task.description)}</code>
      </p>
      {task.reason === null ? null : <p className="ph-Row-why">{task.reason.text}</p>}
      {task.error === null ? null : <ProblemNote problem={fromData(task.error)} />}
      {task.exception === null ? null : <Exception exception={task.exception} />}
      {task.stderrTail === null || task.error === null || task.exception !== null ? null : <pre>{task.stderrTail}</pre>}
      <LiveRegion text={spoken(trans.__('task'), task.name, task.state, trans)} />
    </section>
  );
}
