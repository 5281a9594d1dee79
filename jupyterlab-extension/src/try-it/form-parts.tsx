import type { Method } from '@pilothouse/sdk/internal';
import { type ReactNode, useId } from 'react';
import type { Drafts } from './drafts.js';

/** What every form for a request gets. */
export interface FormProps {
  readonly drafts: Drafts;
  readonly methods: readonly Method[] | null;
  readonly onChange: (change: Partial<Drafts>) => void;
}

/** A text of several lines with its label. */
export function TextArea(props: {
  readonly label: string;
  readonly value: string;
  readonly rows: number;
  readonly hint?: ReactNode;
  readonly code?: boolean;
  readonly onChange: (value: string) => void;
}): JSX.Element {
  const id = useId();
  return (
    <>
      <label htmlFor={id}>{props.label}</label>
      <textarea
        id={id}
        className={props.code ? 'jp-mod-styled ph-mod-code' : 'jp-mod-styled'}
        rows={props.rows}
        value={props.value}
        spellCheck={props.code !== true}
        onChange={(event) => props.onChange(event.target.value)}
      />
      {props.hint === undefined ? null : <p className="ph-Field-hint">{props.hint}</p>}
    </>
  );
}
