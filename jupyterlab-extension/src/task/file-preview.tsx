import type { Task } from '@pilothouse/sdk';
import { formatBytes, type TaskFile } from '@pilothouse/sdk/internal';
import { useEffect, useMemo } from 'react';
import { ProblemNote } from '../components/problem-note.js';
import { EmptyState, LinkButton } from '../components/small.js';
import { useFetched } from '../hooks/call.js';
import { useApp } from '../hooks/context.js';

/** Files that can be fetched into the browser; larger ones are for copying on the machine. */
export const DOWNLOAD_BYTES = 64 * 1024 * 1024;
/** Bytes of a text that is fetched to show it. */
const TEXT_BYTES = 1024 * 1024;
/** Bytes of a picture that are fetched to show it. */
const PICTURE_BYTES = 8 * 1024 * 1024;

const PICTURES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
};

/** A text or a picture; what is neither, or is too large, is said to be so. */
export function FilePreview(props: {
  readonly task: Task;
  readonly file: TaskFile;
  readonly onClose: () => void;
}): JSX.Element {
  const { trans } = useApp();
  const { task, file, onClose } = props;
  const type = PICTURES[file.path.split('.').at(-1)?.toLowerCase() ?? ''];
  const limit = type === undefined ? TEXT_BYTES : PICTURE_BYTES;
  return (
    <section className="ph-Preview" aria-label={trans.__('Inside %1', file.path)}>
      <p>
        <b>{file.path}</b>
        {' · '}
        <LinkButton onClick={onClose}>{trans.__('Close')}</LinkButton>
      </p>
      {file.size > limit ? (
        <EmptyState
          text={trans.__(
            'It has %1, and up to %2 are shown here. Download it instead.',
            formatBytes(file.size),
            formatBytes(limit),
          )}
        />
      ) : (
        <Inside task={task} file={file} limit={limit} type={type ?? null} />
      )}
    </section>
  );
}

function Inside(props: {
  readonly task: Task;
  readonly file: TaskFile;
  readonly limit: number;
  readonly type: string | null;
}): JSX.Element {
  const { trans } = useApp();
  const { task, file, limit, type } = props;
  const { value, problem } = useFetched(
    (signal) => task.output(file.path, { limit: `${limit}B`, signal }),
    `${file.path} ${file.modified}`,
  );
  if (problem !== null) return <ProblemNote problem={problem} />;
  if (value === null) return <EmptyState text={trans.__('Reading …')} />;
  return type === null ? <Text bytes={value} /> : <Picture bytes={value} type={type} name={file.path} />;
}

function Text({ bytes }: { readonly bytes: Uint8Array }): JSX.Element {
  const { trans } = useApp();
  const text = useMemo(() => new TextDecoder().decode(bytes), [bytes]);
  if (text.includes('\u0000')) return <EmptyState text={trans.__('It is no text. Download it instead.')} />;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a text that scrolls must be reachable by keyboard
    <pre className="ph-Text" tabIndex={0}>
      {text === '' ? trans.__('It is empty.') : text}
    </pre>
  );
}

function Picture(props: { readonly bytes: Uint8Array; readonly type: string; readonly name: string }): JSX.Element {
  const { bytes, type, name } = props;
  const url = useMemo(() => URL.createObjectURL(new Blob([new Uint8Array(bytes)], { type })), [bytes, type]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  return <img src={url} alt={name} />;
}

/** Fetches a whole file and hands it to the browser to keep. */
export async function save(task: Task, file: TaskFile): Promise<void> {
  const bytes = await task.output(file.path, { limit: `${DOWNLOAD_BYTES}B`, timeout: '5m' });
  const url = URL.createObjectURL(new Blob([new Uint8Array(bytes)]));
  const link = document.createElement('a');
  link.href = url;
  link.download = file.path.split('/').at(-1) ?? 'file';
  link.click();
  // The browser has taken it by the next turn; until then the address must hold.
  setTimeout(() => URL.revokeObjectURL(url), 0);
}
