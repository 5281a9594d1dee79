import { AnswerView } from '../components/answer-view.js';
import { PilotRow } from '../components/pilot-row.js';
import { ServiceRow } from '../components/service-row.js';
import { useApp } from '../hooks/context.js';
import { useLive } from '../hooks/live.js';
import { BatchView } from './batch-view.js';
import type { LiveView } from './live-view.js';
import { SetView } from './set-view.js';
import { TaskView } from './task-view.js';

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
        <TaskView task={record} readOnly={readOnly || mode === 'unknown'} />
      ) : record.kind === 'set' ? (
        <SetView set={record} readOnly={readOnly || mode === 'unknown'} />
      ) : record.kind === 'batch' ? (
        <BatchView batch={record} readOnly={readOnly || mode === 'unknown'} />
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
