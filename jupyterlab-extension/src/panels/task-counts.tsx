import type { Picture } from '@pilothouse/sdk';
import { EmptyState, LinkButton } from '../components/small.js';
import { StateShape } from '../components/state-badge.js';
import { stateWord } from '../format/state.js';
import { countTasks } from '../format/summary.js';
import { useApp } from '../hooks/context.js';
import { CommandIDs } from '../tokens.js';

/** Tasks as counts by state. */
export function TaskCounts({ picture }: { readonly picture: Picture }): JSX.Element {
  const { commands, trans } = useApp();
  const counts = countTasks(picture);
  if (counts.length === 0) {
    return (
      <EmptyState text={trans.__('No tasks yet. A task is a command that runs on a pilot.')}>
        <LinkButton onClick={() => void commands.execute(CommandIDs.insert, { kind: 'task' })}>
          {trans.__('Insert an example into notebook')}
        </LinkButton>
      </EmptyState>
    );
  }
  return (
    <ul className="ph-Counts" aria-label={trans.__('Tasks by state')}>
      {counts.map(({ state, count }) => (
        <li key={state}>
          <StateShape kind="task" state={state} /> <b>{count}</b> {stateWord(state)}
        </li>
      ))}
    </ul>
  );
}
