import { sentence } from '@pilothouse/sdk/internal';
import type { ReactNode } from 'react';
import type { Problem } from '../format/problem.js';
import { useApp } from '../hooks/context.js';

/** A failure: the remedy leads, the code comes last, the evidence opens on request. */
export function ProblemNote(props: { readonly problem: Problem; readonly children?: ReactNode }): JSX.Element {
  const { trans } = useApp();
  const { remedy, message, code, evidence } = props.problem;
  return (
    <div className="ph-Problem" role="alert">
      {remedy === null ? null : <p className="ph-Problem-remedy">{sentence(remedy)}</p>}
      <p>
        {message} <span className="ph-Problem-code">{code}</span>
      </p>
      {evidence === null ? null : (
        <details open={evidence.length < 400}>
          <summary>{trans.__('What was seen')}</summary>
          <pre>{evidence}</pre>
        </details>
      )}
      {props.children === undefined ? null : <p className="ph-Problem-next">{props.children}</p>}
    </div>
  );
}
