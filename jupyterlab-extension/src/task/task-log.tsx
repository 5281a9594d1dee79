import type { TaskRecord } from '@pilothouse/sdk/internal';
import { useCallback, useEffect, useRef, useState } from 'react';
import { LogTail } from '../components/log-tail.js';
import { useApp } from '../hooks/context.js';

/** Output of a task, which follows; the stream that says more about how it went comes first. */
export function TaskLog(props: {
  readonly record: TaskRecord;
  /** A new object each time the log is to be brought into sight. */
  readonly show: object | null;
}): JSX.Element {
  const { session, trans } = useApp();
  const { id, name, state, attempt } = props.record;
  const [stream, setStream] = useState<'stdout' | 'stderr'>(state === 'FAILED' ? 'stderr' : 'stdout');
  const box = useRef<HTMLDivElement>(null);
  const { show } = props;
  useEffect(() => {
    if (show !== null) box.current?.scrollIntoView({ block: 'start' });
  }, [show]);
  // A new attempt is a new log.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another function means another log
  const read = useCallback(
    async (offset: number, signal: AbortSignal) => {
      const handle = await session.tasks.get(id, { signal });
      try {
        return await handle.log({ stream, offset, signal });
      } finally {
        handle.close();
      }
    },
    [session, id, stream, attempt],
  );
  return (
    <div className="ph-TaskLog" ref={box}>
      <div className="ph-Log-choice">
        <label>
          {trans.__('Output')}{' '}
          <select
            className="jp-mod-styled"
            value={stream}
            onChange={(event) => setStream(event.target.value === 'stderr' ? 'stderr' : 'stdout')}
          >
            <option value="stdout">stdout</option>
            <option value="stderr">stderr</option>
          </select>
        </label>
      </div>
      <LogTail name={trans.__('Log of %1', name)} read={read} />
    </div>
  );
}
