import type { TaskRecord } from '@pilothouse/sdk/internal';
import { AnswerView } from '../components/answer-view.js';
import { PilotRow } from '../components/pilot-row.js';
import { ServiceRow } from '../components/service-row.js';
import { LiveRegion, ShortId, Since } from '../components/small.js';
import { StateBadge } from '../components/state-badge.js';
import { isFinal } from '../format/state.js';
import { spoken } from '../format/summary.js';
import { useApp } from '../hooks/context.js';
import { useLive } from '../hooks/live.js';
import type { LiveView } from './live-view.js';

/** A thing of Pilothouse in a cell. */
export function CellView(props: {
  readonly view: LiveView;
  readonly readOnly: boolean;
  readonly onRetry: () => Promise<void>;
}): JSX.Element {
  const { trans } = useApp();
  const { view, readOnly } = props;
  const { record, text, mode } = useLive(view.value$, view.value);
  return (
    <div className={`ph-Cell ph-mod-${mode}`}>
      {record.kind === 'answer' ? (
        <AnswerView
          record={record}
          text={text}
          {...(readOnly || mode === 'unknown' ? {} : { onStop: async () => view.answer?.stop() })}
          {...(readOnly ? {} : { onRetry: props.onRetry })}
        />
      ) : record.kind === 'task' ? (
        <TaskView task={record} />
      ) : (
        <ul
          className="ph-Rows ph-mod-large"
          aria-label={record.kind === 'pilot' ? trans.__('Pilot %1', record.name) : trans.__('Service %1', record.name)}
        >
          {record.kind === 'pilot' ? (
            <PilotRow pilot={record} readOnly={readOnly || mode !== 'live'} />
          ) : (
            <ServiceRow service={record} readOnly={readOnly || mode !== 'live'} />
          )}
        </ul>
      )}
      {mode === 'unknown' ? (
        <p className="ph-Cell-note">{trans.__('Pilothouse no longer knows this; it is shown as it was last saved.')}</p>
      ) : null}
      {mode === 'offline' ? (
        <p className="ph-Cell-note">{trans.__('Not connected to Pilothouse: this is the last known state.')}</p>
      ) : null}
      {readOnly && mode === 'live' ? (
        <p className="ph-Cell-note">{trans.__('This notebook is not trusted: it can only be read.')}</p>
      ) : null}
    </div>
  );
}

function TaskView({ task }: { readonly task: TaskRecord }): JSX.Element {
  const { trans } = useApp();
  const { error } = task;
  const final = isFinal('task', task.state);
  return (
    <section className="ph-Task" aria-label={trans.__('Task %1', task.name)}>
      <b>{task.name}</b> <StateBadge kind="task" state={task.state} /> {final ? null : trans.__('for')}{' '}
      <Since time={task.since} ago={final} />
      {task.exitCode === null ? null : ` · ${trans.__('exit code %1', task.exitCode)}`} · <ShortId id={task.id} />
      <p className="ph-Row-why">
        <code>{task.description.command.join(' ')}</code>
      </p>
      {task.reason === null ? null : <p className="ph-Row-why">{task.reason.text}</p>}
      {error === null ? null : (
        <p className="ph-Row-why ph-mod-bad">{[error.hint, error.message].filter(Boolean).join(' ')}</p>
      )}
      {task.stderrTail === null || error === null ? null : <pre>{task.stderrTail}</pre>}
      <LiveRegion text={spoken(trans.__('task'), task.name, task.state, trans)} />
    </section>
  );
}
