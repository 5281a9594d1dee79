import type { ErrorData } from '@pilothouse/sdk/internal';
import { ProblemNote } from '../components/problem-note.js';
import { TextButton } from '../components/small.js';
import { fromData } from '../format/problem.js';
import { useCall } from '../hooks/call.js';
import { useApp } from '../hooks/context.js';
import { CommandIDs } from '../tokens.js';

/** What failed, what to do, and how to tell somebody who can help. */
export function NotConnected({ error }: { readonly error: ErrorData }): JSX.Element {
  const { commands, link, trans } = useApp();
  const retry = useCall(() => link.retry());
  return (
    <div className="ph-NotConnected">
      <ProblemNote problem={fromData(error)} />
      <div className="ph-Buttons">
        <TextButton accent disabled={retry.busy} onClick={() => void retry.run()}>
          {retry.busy ? trans.__('Trying …') : trans.__('Retry')}
        </TextButton>
        <TextButton onClick={() => void commands.execute(CommandIDs.copyDiagnosis)}>
          {trans.__('Copy diagnosis')}
        </TextButton>
      </div>
    </div>
  );
}
