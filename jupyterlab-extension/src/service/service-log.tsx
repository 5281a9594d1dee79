import { type LogChunk, PilothouseError, type ServiceRecord } from '@pilothouse/sdk/internal';
import { useCallback, useState } from 'react';
import { LogTail } from '../components/log-tail.js';
import { useApp } from '../hooks/context.js';

const NOT_YET: LogChunk = { text: '', offset: 0, next: 0, size: 0, complete: false };

/** Output of one instance; which one and which stream can be chosen. */
export function ServiceLog({ service }: { readonly service: ServiceRecord }): JSX.Element {
  const { session, trans } = useApp();
  const [chosen, setInstance] = useState<number | null>(null);
  const [stream, setStream] = useState<'stdout' | 'stderr'>('stderr');
  const { id } = service;
  const indices = [...new Set(service.instances.map(({ index }) => index))].sort((a, b) => a - b);
  const instance = chosen !== null && indices.includes(chosen) ? chosen : (indices[0] ?? 1);
  const read = useCallback(
    async (offset: number, signal: AbortSignal) => {
      const handle = await session.services.get(id, { signal });
      try {
        return await handle.log({ instance, stream, offset, signal });
      } catch (error) {
        // An instance that has not been launched yet has no output, which is no failure.
        if (error instanceof PilothouseError && error.code === 'TASK_NOT_FOUND') return NOT_YET;
        throw error;
      } finally {
        handle.close();
      }
    },
    [session, id, instance, stream],
  );
  return (
    <>
      <div className="ph-Log-choice">
        {indices.length > 1 ? (
          <label>
            {trans.__('Instance')}{' '}
            <select
              className="jp-mod-styled"
              value={instance}
              onChange={(event) => setInstance(Number(event.target.value))}
            >
              {indices.map((index) => (
                <option key={index} value={index}>
                  {index}
                </option>
              ))}
            </select>
          </label>
        ) : null}
        <label>
          {trans.__('Output')}{' '}
          <select
            className="jp-mod-styled"
            value={stream}
            onChange={(event) => setStream(event.target.value === 'stdout' ? 'stdout' : 'stderr')}
          >
            <option value="stderr">stderr</option>
            <option value="stdout">stdout</option>
          </select>
        </label>
      </div>
      <LogTail name={trans.__('Log of %1, instance %2', service.name, instance)} read={read} />
    </>
  );
}
