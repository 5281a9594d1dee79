import type { Task } from '@pilothouse/sdk';
import { formatBytes, type TaskFile, type TaskRecord } from '@pilothouse/sdk/internal';
import { useState } from 'react';
import { ProblemNote } from '../components/problem-note.js';
import { EmptyState, LinkButton } from '../components/small.js';
import { isFinal } from '../format/state.js';
import { exactTime } from '../format/time.js';
import { useCall, useFetched } from '../hooks/call.js';
import { useApp } from '../hooks/context.js';
import { DOWNLOAD_BYTES, FilePreview, save } from './file-preview.js';

/** Files that a task has left, each with a look inside and a download. */
export function TaskFiles(props: { readonly task: Task; readonly record: TaskRecord }): JSX.Element {
  const { trans } = useApp();
  const { task, record } = props;
  const [asked, setAsked] = useState(false);
  // Listing a folder on a shared file system is not free: it is done when somebody wants to see it.
  if (!asked) {
    return <LinkButton onClick={() => setAsked(true)}>{trans.__('List its files')}</LinkButton>;
  }
  return <Files key={isFinal('task', record.state) ? 'final' : 'live'} task={task} record={record} />;
}

function Files(props: { readonly task: Task; readonly record: TaskRecord }): JSX.Element {
  const { trans } = useApp();
  const { task, record } = props;
  const { value, problem, reload } = useFetched((signal) => task.files({ signal }), `${record.id} ${record.attempt}`);
  const [shown, setShown] = useState<TaskFile | null>(null);
  if (problem !== null) return <ProblemNote problem={problem} />;
  if (value === null) return <EmptyState text={trans.__('Listing the files …')} />;
  if (value.length === 0) {
    return (
      <EmptyState text={trans.__('It has left no files of its own in %1.', record.cwd)}>
        <LinkButton onClick={reload}>{trans.__('Look again')}</LinkButton>
      </EmptyState>
    );
  }
  return (
    <>
      <table className="ph-Table">
        <caption className="ph-offscreen">{trans.__('Files of %1', record.name)}</caption>
        <thead>
          <tr>
            <th scope="col">{trans.__('File')}</th>
            <th scope="col" className="ph-mod-right">
              {trans.__('Size')}
            </th>
            <th scope="col">{trans.__('Changed')}</th>
            <th scope="col">{trans.__('Actions')}</th>
          </tr>
        </thead>
        <tbody>
          {value.map((file) => (
            <FileRow key={file.path} task={task} file={file} onShow={() => setShown(file)} />
          ))}
        </tbody>
      </table>
      <LinkButton onClick={reload}>{trans.__('Look again')}</LinkButton>
      {shown === null ? null : <FilePreview key={shown.path} task={task} file={shown} onClose={() => setShown(null)} />}
    </>
  );
}

function FileRow(props: { readonly task: Task; readonly file: TaskFile; readonly onShow: () => void }): JSX.Element {
  const { trans } = useApp();
  const { task, file, onShow } = props;
  const download = useCall(() => save(task, file));
  const large = file.size > DOWNLOAD_BYTES;
  return (
    <tr>
      <th scope="row" className="ph-mod-long">
        {file.path}
        {file.folder ? '/' : ''}
      </th>
      <td className="ph-mod-right">{file.folder ? '' : formatBytes(file.size)}</td>
      <td>{exactTime(file.modified)}</td>
      <td>
        {file.folder ? null : (
          <>
            <LinkButton onClick={onShow}>{trans.__('Look inside')}</LinkButton>
            {' · '}
            {large ? (
              <span title={trans.__('Copy it on the machine instead')}>{trans.__('too large to download')}</span>
            ) : (
              <LinkButton onClick={() => void download.run()}>
                {download.busy ? trans.__('Downloading …') : trans.__('Download')}
              </LinkButton>
            )}
          </>
        )}
        {download.problem === null ? null : <ProblemNote problem={download.problem} />}
      </td>
    </tr>
  );
}
