import { Clipboard } from '@jupyterlab/apputils';
import { ProblemNote } from '../components/problem-note.js';
import { LinkButton, TextButton } from '../components/small.js';
import { useCall } from '../hooks/call.js';
import { useApp } from '../hooks/context.js';
import { CommandIDs } from '../tokens.js';
import type { TableSummary, TaskTable } from './task-table.js';

/** What can be done with the rows that are chosen. */
export function BulkBar(props: { readonly table: TaskTable; readonly summary: TableSummary }): JSX.Element {
  const { commands, trans } = useApp();
  const { table, summary } = props;
  const act = useCall(async (command: string) => {
    await commands.execute(command, { kind: 'task', ids: table.chosenIds() });
  });
  const { chosen } = summary;
  return (
    <div className="ph-BulkBar" role="toolbar" aria-label={trans.__('Chosen tasks')}>
      <span role="status">{trans.__('%1 chosen', chosen.toLocaleString())}</span>
      <TextButton warn disabled={act.busy} onClick={() => void act.run(CommandIDs.cancelTask)}>
        {trans.__('Cancel tasks…')}
      </TextButton>
      <TextButton disabled={act.busy} onClick={() => void act.run(CommandIDs.retryTask)}>
        {trans.__('Retry')}
      </TextButton>
      <TextButton disabled={act.busy} onClick={() => void act.run(CommandIDs.openTaskLog)}>
        {trans.__('Open logs')}
      </TextButton>
      <LinkButton onClick={() => Clipboard.copyToSystem(table.chosenIds().join('\n'))}>
        {trans.__('Copy ids')}
      </LinkButton>
      <LinkButton
        onClick={() => {
          table.selection.none();
          table.chosenChanged();
        }}
      >
        {trans.__('Choose none')}
      </LinkButton>
      {act.problem === null ? null : <ProblemNote problem={act.problem} />}
    </div>
  );
}
