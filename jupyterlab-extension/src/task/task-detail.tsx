import type { Task } from '@pilothouse/sdk';
import { shortId, type TaskRecord } from '@pilothouse/sdk/internal';
import { useEffect, useRef } from 'react';
import { ProblemNote } from '../components/problem-note.js';
import { EmptyState, LinkButton, LiveRegion, ShortId, Since, TextButton } from '../components/small.js';
import { StateBadge } from '../components/state-badge.js';
import { fromData } from '../format/problem.js';
import { isFinal } from '../format/state.js';
import { lostContact, spoken } from '../format/summary.js';
import { useApp } from '../hooks/context.js';
import { useLive, useNow } from '../hooks/live.js';
import { Part } from '../pages/page.js';
import { CommandIDs } from '../tokens.js';
import { descriptionFacts, whatItDoes } from './description.js';
import { Exception } from './exception.js';
import { Explanation } from './explanation.js';
import { Facts } from './facts.js';
import { TaskFiles } from './task-files.js';
import { TaskLog } from './task-log.js';
import { TaskTimes } from './task-times.js';
import { UsageTable } from './usage-table.js';
import { useTask } from './use-task.js';

/** Everything about one task: on its own page, and beside the table. */
export function TaskDetail(props: {
  readonly id: string;
  /** Shown beside the table: offers the task's own page. */
  readonly beside?: boolean;
  /** Which part to show first; a new object each time it is asked for. */
  readonly part?: { readonly name: string } | null;
  /** Told what it is called as soon as that is known. */
  readonly onName?: (name: string) => void;
  readonly missing: JSX.Element;
}): JSX.Element {
  const { trans } = useApp();
  const { task, record, problem } = useTask(props.id);
  const name = record?.name;
  const tell = useRef(props.onName);
  tell.current = props.onName;
  useEffect(() => {
    if (name !== undefined) tell.current?.(name);
  }, [name]);
  if (problem !== null) {
    return problem.code === 'TASK_NOT_FOUND' ? props.missing : <ProblemNote problem={problem} />;
  }
  if (task === null || record === null) return <EmptyState text={trans.__('Looking at the task …')} />;
  return <Details task={task} record={record} beside={props.beside ?? false} part={props.part ?? null} />;
}

function Details(props: {
  readonly task: Task;
  readonly record: TaskRecord;
  readonly beside: boolean;
  readonly part: { readonly name: string } | null;
}): JSX.Element {
  const { trans } = useApp();
  const { task, record, beside } = props;
  const final = isFinal('task', record.state);
  const began = record.times.RUNNING !== undefined || record.output !== null;
  return (
    <>
      <Head record={record} beside={beside} />
      <LiveRegion text={spoken(trans.__('task'), record.name, record.state, trans)} />
      <p className="ph-Task-what">
        <code>{whatItDoes(record.description)}</code>
      </p>
      <Where record={record} />
      {record.error === null ? null : <ProblemNote problem={fromData(record.error)} />}
      {record.exception === null ? null : <Exception exception={record.exception} />}
      {final ? null : <Explanation task={task} record={record} />}
      <Part title={trans.__('Log')}>
        {began ? (
          <TaskLog record={record} show={props.part?.name === 'log' ? props.part : null} />
        ) : (
          <EmptyState text={trans.__('It has not begun to run, so it has written nothing.')} />
        )}
      </Part>
      <Part title={trans.__('Times')}>
        <TaskTimes record={record} />
      </Part>
      {record.usage === null ? null : (
        <Part title={trans.__('Usage')}>
          <UsageTable usage={record.usage} description={record.description} />
        </Part>
      )}
      {began ? (
        <Part title={trans.__('Files')}>
          <TaskFiles task={task} record={record} />
        </Part>
      ) : null}
      <Part title={trans.__('Description')}>
        <Facts facts={descriptionFacts(record.description, trans)} name={trans.__('What was asked for')} />
      </Part>
    </>
  );
}

function Head(props: { readonly record: TaskRecord; readonly beside: boolean }): JSX.Element {
  const { commands, trans } = useApp();
  const { record, beside } = props;
  const final = isFinal('task', record.state);
  const args = { kind: 'task', id: record.id };
  const run = (command: string) => () => void commands.execute(command, args);
  return (
    <header className="ph-Page-head">
      <h2>{record.name}</h2>
      <StateBadge kind="task" state={record.state} />
      <span>
        {final ? null : trans.__('for')} <Since time={record.since} ago={final} />
      </span>
      {record.exitCode === null ? null : <span>{trans.__('exit code %1', record.exitCode)}</span>}
      {record.signal === null ? null : <span>{trans.__('ended by %1', record.signal)}</span>}
      {record.attempt > 1 ? <span>{trans.__('attempt %1', record.attempt)}</span> : null}
      <span className="ph-Page-actions">
        {beside ? (
          <TextButton onClick={run(CommandIDs.openTask)}>{trans.__('Open page')}</TextButton>
        ) : (
          <TextButton onClick={run(CommandIDs.insert)}>{trans.__('Insert into notebook')}</TextButton>
        )}
        {final ? (
          <TextButton onClick={run(CommandIDs.retryTask)}>{trans.__('Retry')}</TextButton>
        ) : (
          <TextButton warn onClick={run(CommandIDs.cancelTask)}>
            {trans.__('Cancel')}
          </TextButton>
        )}
      </span>
    </header>
  );
}

/** Whose it is and where it runs. */
function Where({ record }: { readonly record: TaskRecord }): JSX.Element {
  const { commands, session, trans } = useApp();
  const picture = useLive(session.picture$, session.picture);
  const now = useNow(5000);
  const set = picture.sets.find(({ id }) => id === record.set);
  const pilot = picture.pilots.find(({ id }) => id === record.pilot);
  const lost = lostContact(record, now, trans);
  const { placement } = record;
  return (
    <p className="ph-Task-where">
      {lost === null ? null : <strong>{lost} </strong>}
      <ShortId id={record.id} />
      {set === undefined ? null : (
        <>
          {' · '}
          {trans.__('of the set')}{' '}
          <LinkButton onClick={() => void commands.execute(CommandIDs.openTasks, { set: set.id })}>
            {set.name}
          </LinkButton>
        </>
      )}
      {pilot === undefined ? null : (
        <>
          {' · '}
          {trans.__('on pilot')}{' '}
          <LinkButton onClick={() => void commands.execute(CommandIDs.openPilot, { id: pilot.id })}>
            {pilot.name}
          </LinkButton>
        </>
      )}
      {placement === null ? null : (
        <>
          {' · '}
          {trans.__('on the node %1', placement.node)}
          {placement.cores.length > 0 ? `, ${trans.__('cores %1', placement.cores.join(', '))}` : null}
          {placement.gpus.length > 0 ? `, ${trans.__('GPUs %1', placement.gpus.join(', '))}` : null}
        </>
      )}
      {record.retryOf === null ? null : (
        <>
          {' · '}
          {trans.__('repeats')}{' '}
          <LinkButton onClick={() => void commands.execute(CommandIDs.openTask, { id: record.retryOf })}>
            {shortId(record.retryOf)}
          </LinkButton>
        </>
      )}
      {record.resumedFrom === null ? null : ` · ${trans.__('result taken over from %1', shortId(record.resumedFrom))}`}
      {' · '}
      <code title={trans.__('Working directory')}>{record.cwd}</code>
    </p>
  );
}
