import type { TaskSetRecord, TaskState } from '@pilothouse/sdk/internal';
import { type ReactNode, useEffect } from 'react';
import { distinctUntilChanged, map, type Observable } from 'rxjs';
import { ReactPanel } from '../components/react-panel.js';
import { SetRow } from '../components/set-row.js';
import { EmptyState, HelpButton, LinkButton, TextButton } from '../components/small.js';
import { isFinal } from '../format/state.js';
import { useApp } from '../hooks/context.js';
import { useLive } from '../hooks/live.js';
import { NotConnected } from '../panels/not-connected.js';
import { TaskDetail } from '../task/task-detail.js';
import { cellContext } from '../tasks/names.js';
import type { Query } from '../tasks/row-order.js';
import { AT } from '../tasks/row-store.js';
import { TablePane } from '../tasks/table-pane.js';
import { TaskTable } from '../tasks/task-table.js';
import { CommandIDs, type IPilothouse } from '../tokens.js';

/** Rows for everything, in the order of submission, under their sets. */
const EVERYTHING: Query = { text: '', states: new Set(), set: null, group: 'set', sort: null, closed: new Set() };

/** Sets that are shown with their bars above the table. */
const BARS = 4;

/** The page of all tasks. */
export class TasksPage extends ReactPanel {
  /** One page is enough: what it shows is chosen on it. */
  static readonly id = 'all';
  readonly targetId = TasksPage.id;
  private readonly table: TaskTable;

  constructor(app: IPilothouse) {
    super(app);
    this.addClass('ph-Page');
    this.addClass('ph-TasksPage');
    this.table = new TaskTable(() => app.session.tasks.rows$(), EVERYTHING, cellContext(app.session));
  }

  /** What it shows, for the next time it is opened. */
  get shownSet(): string | null {
    return this.table.query.set;
  }

  get shownSet$(): Observable<string | null> {
    return this.table.summary$.pipe(
      map(({ query }) => query.set),
      distinctUntilChanged(),
    );
  }

  /** Shows the tasks of one set, or those in some states. */
  filter(wanted: { readonly set?: string | null; readonly states?: readonly TaskState[] }): void {
    this.table.ask({
      text: '',
      ...(wanted.set === undefined ? {} : { set: wanted.set }),
      states: new Set(wanted.states ?? []),
    });
  }

  override dispose(): void {
    this.table.dispose();
    super.dispose();
  }

  protected content(): ReactNode {
    return <TasksContent table={this.table} />;
  }
}

function TasksContent({ table }: { readonly table: TaskTable }): JSX.Element {
  const { commands, link, session, trans } = useApp();
  const { state, error } = useLive(link.value$, link.value);
  const picture = useLive(session.picture$, session.picture);
  const summary = useLive(table.summary$, table.summary);
  const { cursor } = table.selection;
  const chosen = summary.chosen === 1 && cursor !== null ? table.store.rows[cursor]?.[AT.id] : undefined;
  // A set that is not in the picture any more cannot be filtered by.
  const { set } = summary.query;
  const gone = set !== null && state === 'connected' && summary.loaded && !picture.sets.some(({ id }) => id === set);
  useEffect(() => {
    if (gone && summary.matching === 0) table.ask({ set: null });
  }, [gone, summary.matching, table]);
  return (
    <>
      <header className="ph-Page-head">
        <h2>{trans.__('Tasks')}</h2>
        <span className="ph-Page-actions">
          <HelpButton page="tasks" />
          <TextButton accent disabled={state !== 'connected'} onClick={() => void commands.execute(CommandIDs.runTask)}>
            {trans.__('Run a task')}
          </TextButton>
        </span>
      </header>
      {state === 'broken' && error !== null ? <NotConnected error={error} /> : null}
      <SetBars sets={picture.sets} shown={set} />
      <div className={chosen === undefined ? 'ph-Split' : 'ph-Split ph-mod-open'}>
        <div className="ph-Split-main">
          <TablePane table={table} name={trans.__('Tasks')} narrow={chosen !== undefined} empty={<NoTasks />} />
        </div>
        {chosen === undefined ? null : (
          <aside className="ph-Split-side" aria-label={trans.__('The chosen task')}>
            <TaskDetail id={chosen} beside missing={<EmptyState text={trans.__('This task is no longer known.')} />} />
          </aside>
        )}
      </div>
    </>
  );
}

/** The set that is shown, or those that still run, each with its bar. */
function SetBars(props: {
  readonly sets: readonly TaskSetRecord[];
  readonly shown: string | null;
}): JSX.Element | null {
  const { trans } = useApp();
  const { sets, shown } = props;
  const bars =
    shown === null
      ? sets.filter(({ state }) => !isFinal('set', state)).slice(0, BARS)
      : sets.filter(({ id }) => id === shown);
  if (bars.length === 0) return null;
  return (
    <ul className="ph-Rows ph-SetBars" aria-label={trans.__('Progress')}>
      {bars.map((set) => (
        <SetRow key={set.id} set={set} />
      ))}
    </ul>
  );
}

function NoTasks(): JSX.Element {
  const { commands, trans } = useApp();
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
