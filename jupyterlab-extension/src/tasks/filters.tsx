import type { TaskSetRecord, TaskState } from '@pilothouse/sdk/internal';
import { useId, useState } from 'react';
import { StateShape } from '../components/state-badge.js';
import { stateWord } from '../format/state.js';
import { useApp } from '../hooks/context.js';
import { attention } from './columns.js';
import type { Query } from './row-order.js';
import type { TableSummary, TaskTable } from './task-table.js';

/** Counts by state that filter, a text, a set, grouping. */
export function Filters(props: {
  readonly table: TaskTable;
  readonly summary: TableSummary;
  readonly sets: readonly TaskSetRecord[];
}): JSX.Element {
  const { trans } = useApp();
  const { table, summary, sets } = props;
  const { query } = summary;
  const id = useId();
  // Typed text is the field's own: what it filters follows when the table is drawn.
  const [text, setText] = useState(query.text);
  const group = (value: string): Query['group'] => (value === 'set' || value === 'state' ? value : 'none');
  return (
    <div className="ph-Filters">
      <StateFilter table={table} summary={summary} />
      <div className="ph-Filters-line">
        <input
          className="jp-mod-styled"
          type="search"
          placeholder={trans.__('Filter by name, id or reason')}
          aria-label={trans.__('Filter tasks')}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            table.ask({ text: event.target.value.trim().toLowerCase() });
          }}
        />
        <label htmlFor={`${id}-set`}>{trans.__('Set')}</label>
        <select
          id={`${id}-set`}
          className="jp-mod-styled"
          value={query.set ?? ''}
          onChange={(event) => table.ask({ set: event.target.value === '' ? null : event.target.value })}
        >
          <option value="">{trans.__('all')}</option>
          {sets.map((set) => (
            <option key={set.id} value={set.id}>
              {set.name}
            </option>
          ))}
        </select>
        <label htmlFor={`${id}-group`}>{trans.__('Group by')}</label>
        <select
          id={`${id}-group`}
          className="jp-mod-styled"
          value={query.group}
          onChange={(event) => table.ask({ group: group(event.target.value) })}
        >
          <option value="none">{trans.__('nothing')}</option>
          <option value="set">{trans.__('set')}</option>
          <option value="state">{trans.__('state')}</option>
        </select>
        <span className="ph-Filters-shown" role="status">
          {summary.matching === summary.size
            ? trans._n('%2 task', '%2 tasks', summary.size, summary.size.toLocaleString())
            : trans.__('%1 of %2 tasks', summary.matching.toLocaleString(), summary.size.toLocaleString())}
        </span>
      </div>
    </div>
  );
}

function StateFilter(props: { readonly table: TaskTable; readonly summary: TableSummary }): JSX.Element {
  const { trans } = useApp();
  const { counts, query } = props.summary;
  // A state that is filtered by stays in sight when its last task has left it.
  const states = [...new Set([...counts.keys(), ...query.states])].sort((a, b) => attention(a) - attention(b));
  const toggle = (state: TaskState): void => {
    const next = new Set(query.states);
    if (!next.delete(state)) next.add(state);
    props.table.ask({ states: next });
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset needs a legend that is seen
    <div className="ph-StateFilter" role="group" aria-label={trans.__('Tasks by state')}>
      {states.map((state) => (
        <button key={state} type="button" aria-pressed={query.states.has(state)} onClick={() => toggle(state)}>
          <StateShape kind="task" state={state} /> <b>{(counts.get(state) ?? 0).toLocaleString()}</b> {stateWord(state)}
        </button>
      ))}
    </div>
  );
}
