import type { TaskRecord, TaskSetRecord } from '@pilothouse/sdk/internal';
import { SetRow } from '../components/set-row.js';
import { EmptyState, LinkButton } from '../components/small.js';
import { TaskRow } from '../components/task-row.js';
import { useApp } from '../hooks/context.js';
import { useStableOrder } from '../hooks/live.js';
import { CommandIDs } from '../tokens.js';

/** Rows of each kind that the sidebar shows; the table has all of them. */
const MOST = 12;

/** Task sets with their bars, then tasks of no set. */
export function TasksSection(props: {
  readonly sets: readonly TaskSetRecord[];
  readonly tasks: readonly TaskRecord[];
  readonly filtered: boolean;
}): JSX.Element {
  const { commands, trans } = useApp();
  const { sets, tasks } = props;
  const orderedSets = useStableOrder(sets, ({ id }) => id);
  const orderedTasks = useStableOrder(tasks, ({ id }) => id);
  const openTable = (): void => void commands.execute(CommandIDs.openTasks, { set: null });
  if (sets.length + tasks.length === 0) {
    if (props.filtered) return <EmptyState text={trans.__('No task has that in its name.')} />;
    return (
      <EmptyState text={trans.__('No tasks yet. A task is a command or a function that runs on a pilot.')}>
        <LinkButton onClick={() => void commands.execute(CommandIDs.runTask)}>{trans.__('Run a task')}</LinkButton>
        {' · '}
        <LinkButton onClick={() => void commands.execute(CommandIDs.insert, { kind: 'example' })}>
          {trans.__('Insert an example into notebook')}
        </LinkButton>
      </EmptyState>
    );
  }
  const more = Math.max(0, sets.length - MOST) + Math.max(0, tasks.length - MOST);
  return (
    <>
      {sets.length === 0 ? null : (
        <ul className="ph-Rows" aria-label={trans.__('Task sets')} {...orderedSets.hold}>
          {orderedSets.items.slice(0, MOST).map((set) => (
            <SetRow key={set.id} set={set} />
          ))}
        </ul>
      )}
      {tasks.length === 0 ? null : (
        <ul className="ph-Rows" aria-label={trans.__('Tasks')} {...orderedTasks.hold}>
          {orderedTasks.items.slice(0, MOST).map((task) => (
            <TaskRow key={task.id} task={task} />
          ))}
        </ul>
      )}
      <p className="ph-Section-next">
        <LinkButton onClick={() => void commands.execute(CommandIDs.runTask)}>{trans.__('Run a task')}</LinkButton>
        {' · '}
        <LinkButton onClick={openTable}>
          {more > 0 ? trans.__('Open the table (%1 more)', more) : trans.__('Open the table')}
        </LinkButton>
      </p>
    </>
  );
}
