import { formatSeconds, type TaskRecord } from '@pilothouse/sdk/internal';
import { StateShape } from '../components/state-badge.js';
import { isFinal, stateWord } from '../format/state.js';
import { exactTime } from '../format/time.js';
import { useApp } from '../hooks/context.js';
import { useNow } from '../hooks/live.js';

/** When each state was entered and how long it took. */
export function TaskTimes({ record }: { readonly record: TaskRecord }): JSX.Element {
  const { trans } = useApp();
  const now = useNow();
  const steps = Object.entries(record.times).sort(([, a], [, b]) => a.localeCompare(b));
  return (
    <table className="ph-Table">
      <caption className="ph-offscreen">{trans.__('When each state was entered')}</caption>
      <thead>
        <tr>
          <th scope="col">{trans.__('State')}</th>
          <th scope="col">{trans.__('Entered')}</th>
          <th scope="col">{trans.__('Lasted')}</th>
        </tr>
      </thead>
      <tbody>
        {steps.map(([state, time], index) => {
          const next = steps[index + 1]?.[1];
          const until = next === undefined ? (isFinal('task', state) ? null : now) : Date.parse(next);
          return (
            <tr key={state}>
              <th scope="row">
                <StateShape kind="task" state={state} /> {stateWord(state)}
              </th>
              <td>
                <time dateTime={time}>{exactTime(time)}</time>
              </td>
              <td>{until === null ? '' : short(until - Date.parse(time))}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function short(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.max(0, Math.round(milliseconds))} ms` : formatSeconds(milliseconds / 1000);
}
