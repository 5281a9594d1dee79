import type { Task } from '@pilothouse/sdk';
import { sentence, type TaskRecord } from '@pilothouse/sdk/internal';
import { newEvidence } from '../components/explanation-body.js';
import { ProblemNote } from '../components/problem-note.js';
import { explained } from '../format/explanation.js';
import { useFetched } from '../hooks/call.js';
import { useApp } from '../hooks/context.js';

/** Why a task is not further, asked anew whenever that changes. */
export function Explanation(props: { readonly task: Task; readonly record: TaskRecord }): JSX.Element | null {
  const { trans } = useApp();
  const { task, record } = props;
  const key = `${record.id} ${record.state} ${record.reason?.code ?? ''} ${record.reason?.text ?? ''}`;
  const { value, problem } = useFetched((signal) => explained(task, signal), key);
  if (problem !== null) return <ProblemNote problem={problem} />;
  const text = value?.text ?? record.reason?.text ?? null;
  if (text === null) return null;
  const evidence = newEvidence(value?.evidence ?? [], text);
  return (
    <section className="ph-Explanation" aria-label={trans.__('Why it is not further')}>
      <p>{sentence(text)}</p>
      {evidence.length === 0 ? null : (
        <ul className="ph-Evidence" aria-label={trans.__('What was seen')}>
          {evidence.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
    </section>
  );
}
