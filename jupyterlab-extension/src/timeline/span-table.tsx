import type { Timeline } from '@pilothouse/sdk/internal';
import { StateBadge } from '../components/state-badge.js';
import { exactTime } from '../format/time.js';
import { useApp } from '../hooks/context.js';
import { useLive } from '../hooks/live.js';
import { spanKey } from './lanes.js';
import { formatSpan, held } from './spans.js';

/** More rows than this nobody reads; the table of tasks has all. */
const MOST = 200;

/** The timeline in words, the newest first. */
export function SpanTable(props: { readonly timeline: Timeline; readonly now: number }): JSX.Element {
  const { session, trans } = useApp();
  const picture = useLive(session.picture$, session.picture);
  const { timeline, now } = props;
  const spans = [...timeline.spans].sort((a, b) => b.start - a.start);
  const groups = new Map([...picture.sets, ...picture.services].map(({ id, name }) => [id, name]));
  return (
    <>
      <table className="ph-Table ph-mod-wide">
        <caption className="ph-offscreen">{trans.__('Who held which cores and GPUs')}</caption>
        <thead>
          <tr>
            <th scope="col">{trans.__('Who')}</th>
            <th scope="col">{trans.__('Of')}</th>
            <th scope="col">{trans.__('State')}</th>
            <th scope="col">{trans.__('Held')}</th>
            <th scope="col">{trans.__('From')}</th>
            <th scope="col">{trans.__('For')}</th>
          </tr>
        </thead>
        <tbody>
          {spans.slice(0, MOST).map((span) => (
            <tr key={spanKey(span)}>
              <th scope="row">{span.name}</th>
              <td>{span.group === null ? '' : (groups.get(span.group) ?? span.group)}</td>
              <td>
                <StateBadge kind="task" state={span.state} />
              </td>
              <td>{held(span, trans.__('no cores'))}</td>
              <td>{exactTime(new Date(span.start).toISOString())}</td>
              <td>{formatSpan((span.end ?? now) - span.start)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {spans.length > MOST ? <p>{trans.__('%1 older ones are not shown.', spans.length - MOST)}</p> : null}
    </>
  );
}
