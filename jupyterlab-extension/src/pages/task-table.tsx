import { sentence, type TaskRecord } from '@pilothouse/sdk/internal';
import { EmptyState, Since } from '../components/small.js';
import { StateBadge } from '../components/state-badge.js';
import { isFinal } from '../format/state.js';
import { useApp } from '../hooks/context.js';

/** More rows than this would be slow, and nobody reads them. */
const MOST = 200;

/** The tasks of a pilot: what failed and what is unfinished first. */
export function TaskTable({ tasks }: { readonly tasks: readonly TaskRecord[] }): JSX.Element {
  const { trans } = useApp();
  if (tasks.length === 0) {
    return <EmptyState text={trans.__('No tasks yet. Submit some from a notebook: they run on this pilot.')} />;
  }
  const rank = (task: TaskRecord): number => (task.state === 'FAILED' ? 0 : isFinal('task', task.state) ? 2 : 1);
  const shown = [...tasks].sort((a, b) => rank(a) - rank(b)).slice(0, MOST);
  return (
    <>
      <table className="ph-Table ph-mod-wide">
        <caption className="ph-offscreen">{trans.__('Tasks of this pilot')}</caption>
        <thead>
          <tr>
            <th scope="col">{trans.__('Task')}</th>
            <th scope="col">{trans.__('State')}</th>
            <th scope="col">{trans.__('For')}</th>
            <th scope="col">{trans.__('Why')}</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((task) => (
            <tr key={task.id}>
              <th scope="row" title={task.description.command.join(' ')}>
                {task.name}
              </th>
              <td>
                <StateBadge kind="task" state={task.state} />
              </td>
              <td>
                <Since time={task.since} />
              </td>
              <td>{sentence(task.error?.message ?? task.reason?.text ?? '')}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {tasks.length > MOST ? <p>{trans.__('%1 more are not shown.', tasks.length - MOST)}</p> : null}
    </>
  );
}
