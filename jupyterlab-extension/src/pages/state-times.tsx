import { stateWord } from '../format/state.js';
import { exactTime } from '../format/time.js';
import { useApp } from '../hooks/context.js';

/** When each state was entered, in order. */
export function StateTimes(props: {
  readonly times: Readonly<Record<string, string>>;
  readonly endsAt: string | null;
}): JSX.Element {
  const { trans } = useApp();
  const rows = Object.entries(props.times).sort(([, a], [, b]) => a.localeCompare(b));
  return (
    <table className="ph-Table">
      <caption className="ph-offscreen">{trans.__('When each state was entered')}</caption>
      <tbody>
        {rows.map(([state, time]) => (
          <tr key={state}>
            <th scope="row">{stateWord(state)}</th>
            <td>
              <time dateTime={time}>{exactTime(time)}</time>
            </td>
          </tr>
        ))}
        {props.endsAt === null ? null : (
          <tr>
            <th scope="row">{trans.__('ends by itself')}</th>
            <td>
              <time dateTime={props.endsAt}>{exactTime(props.endsAt)}</time>
            </td>
          </tr>
        )}
      </tbody>
    </table>
  );
}
